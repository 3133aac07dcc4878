"""The service hall (便民服务大厅、效能): queues, windows, attendance, and whether the cameras see."""

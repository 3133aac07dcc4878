"""Complaints, petitions and the 12345 line (投诉、信访、12345热线), and ratings of service (好差评)."""

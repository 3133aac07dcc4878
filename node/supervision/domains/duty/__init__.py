"""Regulatory duty and grid supervision (监管职责、网格化): objects to be inspected, cells to be walked, and the matters found there."""

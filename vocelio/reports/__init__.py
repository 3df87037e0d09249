"""Reports: a table, totals and what to draw, alike as JSON, CSV and PDF. Apps bring the figures."""

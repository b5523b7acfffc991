//! Render a run: text, HTML, CSV, XLSX, JSON v1.

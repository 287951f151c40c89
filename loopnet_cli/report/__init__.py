"""A page to look at and listen to: one HTML file with everything in it, for any browser, offline.

`items` says what a page shows, `encode` turns audio into what fits in a page, `page` puts it together, and `assets/`
holds the page itself: markup, style and scripts as plain files. docs/REPORT.md describes the page.
"""

from loopnet_cli.report.items import Clip, Knobs, ReportItem, item_from_file
from loopnet_cli.report.page import AudioMode, PageBuilder, Report, check_report, write_report

__all__ = [
    "AudioMode",
    "Clip",
    "Knobs",
    "PageBuilder",
    "Report",
    "ReportItem",
    "check_report",
    "item_from_file",
    "write_report",
]

"""What one uploaded file may cost; generous for people, firm for bombs."""

MEGABYTE = 1024 * 1024

MAX_FILE_BYTES = 256 * MEGABYTE
MAX_COLUMNS = 500
MAX_CELL_CHARS = 32_768  # Excel's own limit is 32,767
MAX_RECORD_CHARS = MEGABYTE

# 1,000,000 rows of ten columns inflate to about 465 MB; a bomb of 2 MB to 1 GB and more.
MAX_INFLATED_BYTES = 512 * MEGABYTE
MAX_INFLATION_RATIO = 200
MAX_ZIP_ENTRIES = 10_000
MAX_ZIP_DIRECTORY_BYTES = 2 * MEGABYTE
MAX_SHARED_STRING_BYTES = 128 * MEGABYTE

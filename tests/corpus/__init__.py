"""What people paste and upload, byte by byte.

As Python and not as files, so that byte order marks, line ends and blanks can be seen, and so that
neither git nor an editor puts them right.
"""

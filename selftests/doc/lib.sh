# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the tests of what README.md shows.

# block SECTION TEXT: the indented lines of the section that follow the line
# that begins with the text.
block()
{
	awk -v section="## $1" -v text="$2" '
		/^## / { inside = $0 == section; found = 0 }
		inside && index($0, text) == 1 { found = 1; next }
		found && /^    / { shown = 1; print substr($0, 5) }
		found && shown && /^[^ ]/ { exit }' README.md
}

// Package names prints text that comes from outside: names of classes, files, runs and
// config keys, words of a text. Nothing in such a name can move the cursor of a terminal,
// turn the direction of a line or begin a new one.
package names

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// longest is the number of runes that Print shows of a name.
const longest = 200

// Print escapes s as Escape does and cuts it after 200 runes.
func Print(s string) string { return Limit(s, longest) }

// Limit is Print with another number of runes. It does not cut an escape in two, and ends in
// "..." where it leaves something out.
func Limit(s string, runes int) string {
	var b strings.Builder
	for at, n := 0, 0; at < len(s); {
		r, size := utf8.DecodeRuneInString(s[at:])
		shown := s[at : at+size]
		if escaped(r, size) {
			shown = escape(r, shown)
		}
		if n += utf8.RuneCountInString(shown); n > runes {
			return b.String() + "..."
		}
		b.WriteString(shown)
		at += size
	}
	return b.String()
}

// Ends leaves out the middle of a text that has more than that number of runes. Of a message
// this keeps the subject, at the start, and the fault, at the end.
func Ends(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	const between = " ... "
	all := []rune(s)
	head := runes / 2
	return string(all[:head]) + between + string(all[len(all)-(runes-head-len(between)):])
}

// Quote puts double quotes around Limit(s, runes).
func Quote(s string, runes int) string { return `"` + Limit(s, runes) + `"` }

// Escape writes control characters (C0, DEL, C1), separators of lines and paragraphs, marks of
// direction and bytes that are not UTF-8 as \x1b, \u202e or \xff. It changes nothing else.
func Escape(s string) string {
	plain := true
	for at := 0; plain && at < len(s); {
		r, size := utf8.DecodeRuneInString(s[at:])
		plain = !escaped(r, size)
		at += size
	}
	if plain {
		return s
	}
	return Limit(s, len(s)*len(`\u202e`)) // no text grows longer than that
}

// escaped tells whether Escape replaces a rune that takes size bytes.
func escaped(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1:
		return true
	case r < ' ', r >= 0x7f && r <= 0x9f:
		return true
	case r == '\u2028', r == '\u2029':
		return true
	case r == '\u061c', r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}

// escape writes r, encoded in these bytes, as an escape.
func escape(r rune, encoded string) string {
	if len(encoded) == 1 {
		return fmt.Sprintf(`\x%02x`, encoded[0])
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Spreadsheet is Escape for a cell of CSV. Spreadsheets read text that begins with one of = + - @
// as a formula, so Spreadsheet puts an apostrophe before it. It is for names, not for numbers,
// which may begin with a sign.
func Spreadsheet(s string) string {
	if trimmed := strings.TrimLeft(s, " \t\r\n"); trimmed != "" && strings.ContainsRune("=+-@", rune(trimmed[0])) {
		s = "'" + s
	}
	return Escape(s)
}

package names_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"godarts/nas/names"
)

func TestPrint(t *testing.T) {
	// Print escapes what would act on a terminal and changes nothing else.
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"words of many scripts", "Größe 犬 كلب 👩‍🔬 e\u0301 \u00a0|", "Größe 犬 كلب 👩‍🔬 e\u0301 \u00a0|"},
		{"quotes and backslashes", `a\x1b "b" 'c' <d> &`, `a\x1b "b" 'c' <d> &`},
		{"sequence of a terminal", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"new line and tab", "a\nb\r\tc", `a\x0ab\x0d\x09c`},
		{"zero and DEL", "a\x00b\x7f", `a\x00b\x7f`},
		{"C1", "a\u0085b\u009b31m", `a\u0085b\u009b31m`},
		{"direction", "\u202egpj.exe\u2066\u2069\u200f\u061c", `\u202egpj.exe\u2066\u2069\u200f\u061c`},
		{"separators", "a\u2028b\u2029c", `a\u2028b\u2029c`},
		{"no UTF-8", "a\xffb\xe2\x80", `a\xffb\xe2\x80`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
		{"as long as may be", strings.Repeat("犬", 200), strings.Repeat("犬", 200)},
		{"too long", strings.Repeat("犬", 201), strings.Repeat("犬", 200) + "..."},
		{"no escape is cut", strings.Repeat("a", 198) + "\x1b", strings.Repeat("a", 198) + "..."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := names.Print(test.text); got != test.want {
				t.Errorf("%q: got %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestLimitAndEscape(t *testing.T) {
	// Limit cuts at its number of runes; Escape cuts nothing.
	if got := names.Limit("größer\n", 4); got != "größ..." {
		t.Errorf("got %q", got)
	}
	long := strings.Repeat("犬\n", 1000)
	if got, want := names.Escape(long), strings.Repeat(`犬\x0a`, 1000); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

func TestSpreadsheet(t *testing.T) {
	// Spreadsheet puts an apostrophe before what a spreadsheet would compute.
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+cmd": "'+cmd", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)", " =1": "' =1", "\t=1": `'\x09=1`, "a=1": "a=1", "": "", "darts-second": "darts-second",
	} {
		if got := names.Spreadsheet(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	// Escape returns one line of UTF-8 without control characters, which a second Escape does not change.
	f.Add("a\x1b[0m\u202e\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		shown := names.Escape(s)
		if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f }) {
			t.Errorf("%q gives %q", s, shown)
		}
		if again := names.Escape(shown); again != shown {
			t.Errorf("%q gives %q, which gives %q", s, shown, again)
		}
	})
}

func TestEnds(t *testing.T) {
	// The first and the last runes stay when a text is too long, and all of them when it is not.
	for _, test := range []struct {
		text, want string
	}{
		{"", ""},
		{"twenty characters !!", "twenty characters !!"},
		{"twenty-one characters", "twenty-one ... cters"},
		{strings.Repeat("名", 30) + "end", "名名名名名名名名名名 ... 名名end"},
	} {
		if got := names.Ends(test.text, 20); got != test.want {
			t.Errorf("Ends(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

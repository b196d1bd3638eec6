package builtin

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// zipped returns text gzipped.
func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDigitsFile(t *testing.T) {
	// The embedded file is refused with its line when it is damaged.
	image := ""
	for range 64 {
		image += "3,"
	}
	for _, c := range []struct {
		name, text, want string
	}{
		{"short line", image + "1\n3,4\n", "data: digits: line 2: 2 values, want 65"},
		{"bright pixel", image[2:] + "17,1\n", `data: digits: line 1: value 64 is "17", want 0 to 16`},
		{"label", image + "10\n", `data: digits: line 1: value 65 is "10", want 0 to 9`},
		{"negative", image[2:] + "-1,1\n", `data: digits: line 1: value 64 is "-1", want 0 to 16`},
		{"no number", image + "x\n", `data: digits: line 1: value 65 is "x", want 0 to 9`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readDigits(zipped(t, c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := readDigits(digitsFile[:1000]); err == nil {
		t.Error("no error for half a file")
	}
}

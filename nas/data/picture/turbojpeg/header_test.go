package turbojpeg

import (
	"strings"
	"testing"
)

func TestReadHeader(t *testing.T) {
	// ReadHeader returns the size in the first frame header, after markers of any kind, and an error if there is no header.
	const start, frame = "\xff\xd8", "\x00\x11\x08\x00\x1d\x00\x25\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01" // 37 by 29
	const comment = "\xff\xfe\x00\x05\xff\xc0\x01"                                                          // a frame's marker in it
	for name, test := range map[string]struct {
		file, want string // of an error
	}{
		"baseline":          {start + "\xff\xc0" + frame, ""},
		"arithmetic":        {start + "\xff\xc9" + frame, ""},
		"after segments":    {start + comment + "\xff\xc4\x00\x02\xff\xcc\x00\x02\xff\xc8\x00\x02\xff\xc2" + frame, ""},
		"filled up":         {start + "\xff\xff\xff\xff\xc0" + frame, ""},
		"bytes between":     {start + "ab\xff\x00c\xff\xc0" + frame, ""},
		"without lengths":   {start + "\xff\xd0\xff\x01\xff\xc0" + frame, ""},
		"the first":         {start + "\xff\xc0" + frame + "\xff\xc0\x00\x11\x08\x01\x00\x01\x00\x03", ""},
		"empty":             {"", "jpeg: no start of image"},
		"other":             {"\x89PNG", "jpeg: no start of image"},
		"scan first":        {start + "\xff\xda\x00\x02", "jpeg: marker 0xda before a frame header"},
		"end":               {start + comment + "\xff\xd9", "jpeg: marker 0xd9 before a frame header"},
		"another start":     {start + start + "\xff\xc0" + frame, "jpeg: marker 0xd8 before a frame header"},
		"no length":         {start + "\xff\xfe\x00\x01", "jpeg: marker 0xfe has a length of 1"},
		"cut in a segment":  {start + "\xff\xfe\x00\x09abc", "unexpected EOF"},
		"cut in the frame":  {start + "\xff\xc0" + frame[:6], "unexpected EOF"},
		"cut before marker": {start, "unexpected EOF"},
	} {
		h, err := ReadHeader(strings.NewReader(test.file))
		if test.want != "" {
			if err == nil || err.Error() != test.want {
				t.Errorf("%s: got %v, want %s", name, err, test.want)
			}
			continue
		}
		if want := (Header{Width: 37, Height: 29, Components: 3}); err != nil || h != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, h, err, want)
		}
	}
}

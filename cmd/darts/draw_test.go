package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	// Cells are drawn into a folder, or into one file of the format that its name says.
	t.Chdir(t.TempDir())
	if err := os.Mkdir("folder.pdf", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, stdout, file, start string }{
		{"DARTS_V2 -o pictures", "pictures/normal.svg\npictures/reduce.svg\n", "pictures/reduce.svg", "<svg "},
		{"DARTS_V2 -o pictures --kind reduce", "pictures/reduce.svg\n", "pictures/reduce.svg", "<svg "},
		{"DARTS_V2 -o folder.pdf", "folder.pdf/normal.svg\nfolder.pdf/reduce.svg\n", "folder.pdf/normal.svg", "<svg "},
		{"DARTS_V2 -o a.svg", "a.svg\n", "a.svg", "<svg "},
		{"DARTS_V2 -o a.png --width 17cm", "a.png\n", "a.png", "\x89PNG"},
		{"DARTS_V2 -o a.pdf --width 85mm", "a.pdf\n", "a.pdf", "%PDF-"},
		{"DARTS_V2 -o b.pdf --width 1.5in", "b.pdf\nnote: the smallest letters have 2.5 points at this width, want 5 or more: take a larger --width, or one cell by --kind\n", "b.pdf", "%PDF-"},
		{"DARTS_V2 --recurrent -o r.dot", "r.dot\n", "r.dot", "digraph "},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(append([]string{"draw"}, strings.Fields(test.args)...), &stdout, &stderr); status != exitOK {
				t.Fatalf("status %d, stderr %q", status, stderr.String())
			}
			if stdout.String() != test.stdout {
				t.Errorf("got %q, want %q", stdout.String(), test.stdout)
			}
			content, err := os.ReadFile(filepath.FromSlash(test.file))
			if err != nil || !bytes.HasPrefix(content, []byte(test.start)) {
				t.Errorf("%v, %.20q", err, content)
			}
		})
	}
	for args, want := range map[string]string{
		"DARTS_V2 --kind recurrent":      "darts: draw: --kind \"recurrent\": there is no such cell, only: normal, reduce\n",
		"DARTS_V2 --width 3 -o a.pdf":    "darts: draw: invalid argument \"3\" for \"--width\" flag: want a length of 10mm to 1000mm, such as 85mm, 8.5cm or 3.3in (`darts draw --help` lists the flags)\n",
		"DARTS_V2 --width 8ell -o a.pdf": "darts: draw: invalid argument \"8ell\" for \"--width\" flag: want a length of 10mm to 1000mm, such as 85mm, 8.5cm or 3.3in (`darts draw --help` lists the flags)\n",
		"DARTS_V2 -o none/a.pdf":         "darts: write none/a.pdf: no such file or directory\n",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"draw"}, strings.Fields(args)...), &stdout, &stderr); status != exitUsage || stderr.String() != want {
			t.Errorf("%s: status %d, got %q, want %q", args, status, stderr.String(), want)
		}
	}
}

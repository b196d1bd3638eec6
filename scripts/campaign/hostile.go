package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// hostileCase is a command line with its files. The program has to fail with one line.
type hostileCase struct {
	name  string
	args  []string
	files map[string]string // by their paths in the folder of the trial; a path that ends in / is a folder
	want  string            // a regular expression for the line
	fine  bool              // the program may also succeed
}

// soon is how long a refusal may take on a busy machine.
const soon = 20 * time.Second

// bounded limits a command to 8 GB of address space and files of 64 MB.
var bounded = []string{"sh", "-c", `ulimit -v 8000000; ulimit -f 131072; exec "$@"`, "sh"}

// hostile gives the program a hostile command line and checks how it fails.
func hostile(t *trial) {
	c := hostileCases()[t.n]
	for name, content := range c.files {
		path := filepath.Join(t.dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else if err == nil {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.failf("%v", err)
		}
	}
	began := time.Now()
	p, status := t.run(bounded, c.args...)
	if took := time.Since(began); took > soon {
		t.failf("%s: %s took %v", c.name, p.line, took)
	}
	said := p.stderr.String()
	switch {
	case status == 0 && c.fine:
	case status == 0:
		t.failf("%s: %s succeeds, and prints %s", c.name, p.line, shortened(p.stdout.String()))
	case status != 1 && status != 2:
		t.failf("%s: %s: status %d", c.name, p.line, status)
	case strings.Count(said, "\n") != 1:
		t.failf("%s: %s says %s, want one line", c.name, p.line, shortened(said))
	case !regexp.MustCompile(c.want).MatchString(said):
		t.failf("%s: %s says %s, want %s", c.name, p.line, shortened(said), c.want)
	}
}

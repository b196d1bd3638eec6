package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// fileCall is a system call that changes a file or a folder of a trial, or syncs it.
type fileCall struct {
	kind     string // open, write, truncate, fsync, rename, link, unlink or mkdir
	path, to string // below the trial's folder
	data     []byte
	offset   int // of a write, -1 at the end; the size of truncate
	truncate bool
}

func (c fileCall) String() string { return strings.TrimSpace(c.kind + " " + c.path + " " + c.to) }

// tracedCalls are what strace is asked for.
const tracedCalls = "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat"

// fileCalls are those of an undisturbed run, in the order in which they ended.
func (t *trial) fileCalls(s subject) []fileCall {
	if calls, ok := t.calls[s.name]; ok {
		return calls
	}
	of := t.newTrial("traced-"+s.name, 0)
	log := filepath.Join(of.dir, "tmp", "strace")
	if p, status := of.run([]string{"strace", "-f", "-qq", "-y", "-xx", "-s", "1000000000", "-e", tracedCalls, "-o", log}, s.line(false)...); status != 0 {
		t.failf("%s under strace: %s", p.line, p.stderr.String())
		return nil
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.failf("%v", err)
		return nil
	}
	root, err := filepath.EvalSymlinks(of.dir)
	if err != nil {
		t.failf("%v", err)
		return nil
	}
	if t.calls[s.name], err = parseTrace(string(text), root); err != nil {
		t.failf("strace of %s: %v", s, err)
	}
	os.RemoveAll(of.dir)
	return t.calls[s.name]
}

var (
	resumed  = regexp.MustCompile(`^<\.\.\. \w+ resumed>\s*`)
	callLine = regexp.MustCompile(`^(\w+)\((.*)\)\s+= (-?\d+)`)
	hexText  = regexp.MustCompile(`\\x([0-9a-f]{2})`)
)

// parseTrace reads the calls that worked, on files below root.
func parseTrace(log, root string) (calls []fileCall, err error) {
	begun := map[string]string{} // calls that another thread's came into, by thread
	for line := range strings.Lines(log) {
		thread, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		rest = strings.TrimSpace(rest)
		if before, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
			begun[thread] = before
			continue
		}
		if m := resumed.FindString(rest); m != "" {
			rest = begun[thread] + rest[len(m):]
		}
		m := callLine.FindStringSubmatch(rest)
		if m == nil || strings.HasPrefix(m[3], "-") {
			continue
		}
		call, ok, err := parseCall(m[1], m[2], root)
		if err != nil {
			return nil, fmt.Errorf("%.100q: %w", rest, err)
		}
		if ok {
			calls = append(calls, call)
		}
	}
	return calls, nil
}

// parseCall reads one call; ok tells whether it is on a file below root.
func parseCall(name, text, root string) (c fileCall, ok bool, err error) {
	args := strings.Split(text, ", ")
	below := func(path string) string {
		if !filepath.IsAbs(path) {
			path = filepath.Join(root, path) // where the program runs
		}
		relative, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(relative, "..") {
			return ""
		}
		return relative
	}
	quoted := func(i int) string { return below(unhex(strings.Trim(args[i], `"`))) }
	open := func(i int) string { // 3</path>
		_, path, _ := strings.Cut(strings.TrimSuffix(args[i], ">"), "<")
		if path = unhex(path); !filepath.IsAbs(path) { // pipe:[7]
			return ""
		}
		return below(path)
	}
	number := func(i int) (n int) {
		n, err = strconv.Atoi(args[i])
		return n
	}
	c.offset = -1
	switch name {
	case "openat":
		flags := args[2]
		if !strings.Contains(flags, "O_CREAT") && !strings.Contains(flags, "O_TRUNC") {
			return c, false, nil
		}
		c.kind, c.path, c.truncate = "open", quoted(1), strings.Contains(flags, "O_TRUNC")
	case "write", "pwrite64":
		c.kind, c.path = "write", open(0)
		if c.path != "" {
			c.data = []byte(unhex(strings.Trim(args[1], `"`)))
		}
		if name == "pwrite64" {
			c.offset = number(3)
		}
	case "ftruncate":
		c.kind, c.path, c.offset = "truncate", open(0), number(1)
	case "fsync", "fdatasync":
		c.kind, c.path = "fsync", open(0)
	case "rename", "link":
		c.kind, c.path, c.to = name, quoted(0), quoted(1)
	case "renameat", "renameat2", "linkat":
		c.kind, c.path, c.to = name[:strings.Index(name, "at")], quoted(1), quoted(3)
	case "unlink", "rmdir":
		c.kind, c.path = "unlink", quoted(0)
	case "unlinkat":
		c.kind, c.path = "unlink", quoted(1)
	case "mkdir":
		c.kind, c.path = "mkdir", quoted(0)
	case "mkdirat":
		c.kind, c.path = "mkdir", quoted(1)
	}
	return c, c.kind != "" && c.path != "" && !strings.HasSuffix(c.path, " (deleted)"), err
}

// unhex reads what strace -xx writes.
func unhex(s string) string {
	return hexText.ReplaceAllStringFunc(s, func(x string) string {
		b, _ := strconv.ParseUint(x[2:], 16, 8) // two digits, as the pattern says
		return string([]byte{byte(b)})
	})
}

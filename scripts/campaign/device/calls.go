// Package device models a file system that remembers what was synced, so that a test can
// leave what a power cut at any file call would leave. It reads the calls from a trace.
package device

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Call is a system call that changes a file or a folder, or syncs it.
type Call struct {
	Kind     string // open, write, truncate, fsync, rename, link, unlink or mkdir
	Path, to string // below the root of the trace
	data     []byte
	offset   int // of a write, -1 at the end; the size of truncate
	truncate bool
}

// String names the call and its paths.
func (c Call) String() string { return strings.TrimSpace(c.Kind + " " + c.Path + " " + c.to) }

// Traced is the argument -e of strace for the calls that Parse reads.
const Traced = "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat"

var (
	resumed  = regexp.MustCompile(`^<\.\.\. \w+ resumed>\s*`)
	callLine = regexp.MustCompile(`^(\w+)\((.*)\)\s+= (-?\d+)`)
	hexText  = regexp.MustCompile(`\\x([0-9a-f]{2})`)
)

// Parse reads from the output of strace -f -y -xx the calls on files below root that
// succeeded.
func Parse(log, root string) (calls []Call, err error) {
	begun := map[string]string{} // by thread, calls during which another thread's call was printed
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
func parseCall(name, text, root string) (c Call, ok bool, err error) {
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
		c.Kind, c.Path, c.truncate = "open", quoted(1), strings.Contains(flags, "O_TRUNC")
	case "write", "pwrite64":
		c.Kind, c.Path = "write", open(0)
		if c.Path != "" {
			c.data = []byte(unhex(strings.Trim(args[1], `"`)))
		}
		if name == "pwrite64" {
			c.offset = number(3)
		}
	case "ftruncate":
		c.Kind, c.Path, c.offset = "truncate", open(0), number(1)
	case "fsync", "fdatasync":
		c.Kind, c.Path = "fsync", open(0)
	case "rename", "link":
		c.Kind, c.Path, c.to = name, quoted(0), quoted(1)
	case "renameat", "renameat2", "linkat":
		c.Kind, c.Path, c.to = name[:strings.Index(name, "at")], quoted(1), quoted(3)
	case "unlink", "rmdir":
		c.Kind, c.Path = "unlink", quoted(0)
	case "unlinkat":
		c.Kind, c.Path = "unlink", quoted(1)
	case "mkdir":
		c.Kind, c.Path = "mkdir", quoted(0)
	case "mkdirat":
		c.Kind, c.Path = "mkdir", quoted(1)
	}
	return c, c.Kind != "" && c.Path != "" && !strings.HasSuffix(c.Path, " (deleted)"), err
}

// unhex decodes what strace -xx writes.
func unhex(s string) string {
	return hexText.ReplaceAllStringFunc(s, func(x string) string {
		b, _ := strconv.ParseUint(x[2:], 16, 8) // two digits, as the pattern says
		return string([]byte{byte(b)})
	})
}

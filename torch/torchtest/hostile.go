package torchtest

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Hostile calls every exported function and method of a package with arguments that make no
// sense: freed tensors, types, shapes and sizes that do not fit, numbers that are none, nil
// slices and functions, zero structs, no scope. Each call has to return, or to panic with
// *torch.Error, within seconds and bounded memory. Nil pointers and interfaces are not among
// the arguments, to which Go's own panic is an answer.
type Hostile struct {
	// Functions are the exported functions of the package, generic ones instantiated.
	Functions []any
	// Values are functions without arguments that make a sound argument, in an open scope.
	// Every exported type with methods has one; Go's own types and structs of options need none.
	Values []any
	// Wrong are functions like Values that make unsound ones.
	Wrong []any
	// Arguments gives sound arguments of functions and methods, the receiver first, where
	// random choices among Values find none.
	Arguments map[string]func() []any
	// Made are types that only a New function makes. Their zero value is to methods what a nil
	// pointer is, and is not tried.
	Made []any
	// Refused are functions that no argument is sound for, everywhere or on some machines, and why.
	Refused map[string]string
	// Cases is the most calls of one function; 0 means all. With -short it is fewer.
	Cases int
}

// The child processes of Run: which cases they leave out, and the limits of each.
const (
	skipVariable = "GODARTS_HOSTILE_SKIP"
	slowest      = 8 * time.Second // of a case, on a machine that others use too
	memory       = 2 << 30         // bytes of address space that all cases add
	mostDeaths   = 25              // of children, before the test ends
)

// Run runs the cases one after the other in a process of its own. Where one ends the
// process, another process goes on after it.
func (h Hostile) Run(t *testing.T) {
	t.Helper()
	if most := 8; testing.Short() && (h.Cases == 0 || h.Cases > most) {
		h.Cases = most
	}
	if skipped, child := os.LookupEnv(skipVariable); child {
		newHostileRun(h, skipped).run()
		os.Exit(0)
	}
	h.checkComplete(t)
	var skipped []string
	for deaths := 0; ; deaths++ {
		if deaths == mostDeaths {
			t.Fatalf("%d processes died: the rest is not tested", deaths)
		}
		last, ended, said := h.child(t, skipped)
		if ended {
			break
		}
		t.Errorf("%s: the process died: %s", last, said)
		if last == "" {
			return
		}
		skipped = append(skipped, strings.Fields(last)[0])
	}
}

// child runs the cases but for those to skip, reports what it says, and returns the last
// case that it began, whether it came to the end, and what it left on standard error.
func (h Hostile) child(t *testing.T, skipped []string) (last string, ended bool, said string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=10m", "-test.short="+strconv.FormatBool(testing.Short()))
	c.Env = append(os.Environ(), skipVariable+"="+strings.Join(skipped, ","), "OMP_NUM_THREADS=1", "MALLOC_ARENA_MAX=2", "GOTRACEBACK=single")
	c.ExtraFiles = []*os.File{w}
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		switch kind {
		case "case":
			last = text
		case "bad":
			t.Errorf("%s", text)
		case "end":
			ended = true
			t.Log(text)
		}
	}
	if err := c.Wait(); err != nil {
		ended = false
	}
	return last, ended, firstLines(output.String(), 40)
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(text, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// checkComplete fails the test if the package in the present folder exports a function that
// Functions lacks, or a method of a type that no value of is in Values.
func (h Hostile) checkComplete(t *testing.T) {
	t.Helper()
	listed := map[string]bool{}
	for _, c := range h.callables() {
		listed[c.name] = true
	}
	wanted := map[string]bool{}
	for _, file := range packageFiles(t) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || !f.Name.IsExported():
			case f.Recv == nil:
				wanted[f.Name.Name] = true
			case ast.IsExported(receiver(f)):
				wanted[receiver(f)+"."+f.Name.Name] = true
			}
		}
	}
	for name := range wanted {
		if !listed[name] {
			t.Errorf("%s is exported, but not called with hostile arguments", name)
		}
	}
	for _, f := range h.Functions {
		if !wanted[functionName(f)] {
			t.Errorf("%s is listed, but not exported", functionName(f))
		}
	}
	for name := range h.Arguments {
		if !listed[name] {
			t.Errorf("%s has arguments, but is no function", name)
		}
	}
	for name := range h.Refused {
		if !listed[name] {
			t.Errorf("%s is refused, but is no function", name)
		}
	}
}

// packageFiles are the syntax of the present folder's files that this build has, without tests.
func packageFiles(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatal(fs.ErrNotExist)
	}
	return files
}

// receiver is the name of the type that f is a method of.
func receiver(f *ast.FuncDecl) string {
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// functionName is "Conv2d" of torch.Conv2d.
func functionName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name, _, _ = strings.Cut(name, "[")
	return name[strings.LastIndex(name, ".")+1:]
}

// typeName is "Tensor" of torch.Tensor and of a pointer to it.
func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

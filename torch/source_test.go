package torch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// use is a place where Go calls a function of the shim, or names an operator of a class.
type use struct {
	file string
	line int
}

var (
	shimCall   = regexp.MustCompile(`\bC\.(?:(torch_\w+)\(|TORCH_([a-z]\w+))`)
	declared   = regexp.MustCompile(`(?m)^(?:\w.*[ *](torch_\w+)\(|OPERATOR\((\w+), (\w+)\)$)`)
	cgoPromise = regexp.MustCompile(`^// #cgo (noescape|nocallback) (torch_\w+)$`)
)

// sources are the package's Go files without tests, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	return texts
}

// shimUses finds the calls of every function of the shim, and the operators of classes as class_name.
func shimUses(t *testing.T) map[string][]use {
	t.Helper()
	uses := map[string][]use{}
	for file, text := range sources(t) {
		for i, line := range strings.Split(text, "\n") {
			for _, m := range shimCall.FindAllStringSubmatch(line, -1) {
				uses[m[1]+m[2]] = append(uses[m[1]+m[2]], use{file, i + 1})
			}
		}
	}
	if len(uses) < 100 {
		t.Fatalf("found %d functions: the search is broken", len(uses))
	}
	return uses
}

func TestCgoPromises(t *testing.T) {
	// A file says noescape and nocallback of exactly the shim's functions that it calls when cgo reads it.
	promised := map[string]bool{}
	for file, text := range sources(t) {
		for _, line := range strings.Split(text, "\n") {
			if m := cgoPromise.FindStringSubmatch(line); m != nil {
				promised[file+" "+m[1]+" "+m[2]] = true
			}
		}
	}
	for name, uses := range shimUses(t) {
		if !strings.HasPrefix(name, "torch_") {
			continue // a constant
		}
		for _, u := range uses {
			for _, kind := range []string{"noescape", "nocallback"} {
				if !promised[u.file+" "+kind+" "+name] {
					t.Errorf("%s:%d: no line #cgo %s %s", u.file, u.line, kind, name)
				}
			}
		}
		for _, u := range uses {
			delete(promised, u.file+" noescape "+name)
			delete(promised, u.file+" nocallback "+name)
		}
	}
	for key := range promised {
		t.Errorf("%s: the file does not call it", key)
	}
}

func TestShimIsUsed(t *testing.T) {
	// Go calls every function and operator when the shim declares it.
	uses := shimUses(t)
	for _, file := range []string{"shim.h", "operators.h"} {
		text, err := os.ReadFile(filepath.Join("internal", "shim", file))
		if err != nil {
			t.Fatal(err)
		}
		found := declared.FindAllStringSubmatch(string(text), -1)
		if len(found) < 50 {
			t.Fatalf("%s declares %d names: the search is broken", file, len(found))
		}
		for _, m := range found {
			name := m[1]
			if name == "" {
				name = m[2] + "_" + m[3]
			}
			if uses[name] == nil {
				t.Errorf("%s: no Go file uses %s", file, name)
			}
		}
	}
}

// parity names for each kernel of the shim the test that compares its forms with libtorch: scripts/test
// runs it for every kind of processor.
var parity = map[string]string{
	"gram":                 "TestGram",
	"sumProducts":          "TestSumProducts",
	"maxPool":              "TestMaxPool",
	"maxPoolBackward":      "TestMaxPool",
	"foldedBy":             "TestFolded",
	"foldedForms":          "TestFolded",
	"separable":            "TestSeparable",
	"scaledSums":           "TestScaledSum",
	"sumOfScaled":          "TestScaledSum",
	"convolve":             "TestSeparable",
	"normaliseBy":          "TestSeparable",
	"gradients":            "TestSeparable",
	"gatedMixture":         "TestGatedMixture",
	"gatedMixtureBackward": "TestGatedMixture",
	"softmaxCrossEntropy":  "TestSoftmaxCrossEntropy",
	"depthwise":            "TestDepthwise",
	"forwards":             "TestDepthwise",
	"backwards":            "TestDepthwiseBackward",
	"depthwiseGradients":   "TestDepthwiseBackward",
	"reluSums":             "TestReLUSum",
	"sums":                 "TestReLUSum",
}

func TestKernelsHaveParityTests(t *testing.T) {
	// A test compares a kernel's forms when the shim has the kernel.
	kernel := regexp.MustCompile(`(?m)^constexpr Kernel<.*> (\w+) =`)
	read := func(pattern string) (all string) {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all += string(text)
		}
		return all
	}
	tests := read("*_test.go")
	found := map[string]bool{}
	for _, m := range kernel.FindAllStringSubmatch(read(filepath.Join("internal", "shim", "*.cpp")), -1) {
		name := m[1]
		found[name] = true
		if !strings.Contains(tests, "\nfunc "+parity[name]+"(t *testing.T) {") {
			t.Errorf("kernel %s: no test %q", name, parity[name])
		}
	}
	for name := range parity {
		if !found[name] {
			t.Errorf("%s is no kernel of the shim", name)
		}
	}
}

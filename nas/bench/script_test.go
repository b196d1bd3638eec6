package bench_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"godarts/nas/bench"
)

func TestPyTorchScript(t *testing.T) {
	// The PyTorch script is valid Python and has every row.
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("there is no python3, which scripts/setup needs too")
	}
	const list = `
import ast, sys
tree = ast.parse(open(sys.argv[1]).read())
print(*[key.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "ROWS" for key in node.value.keys])
`
	out, err := exec.Command(python, "-c", list, "../../scripts/bench_pytorch.py").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var want []string
	for _, r := range bench.Rows() {
		want = append(want, r.Name)
	}
	if got := strings.Fields(string(out)); !slices.Equal(got, want) {
		t.Errorf("the script has the rows %v, want %v", got, want)
	}
}

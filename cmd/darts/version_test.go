package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

func TestProcessor(t *testing.T) {
	// The program ends with one line, before it looks at anything else, when GODARTS_CPU holds no kind of processor, and version names the one in use when it does.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		cpu            string
		args           []string
		status         int
		stdout, stderr string // stdout has it
	}{
		{"none", []string{"version"}, exitOK, "\nprocessor: none\n", ""},
		{"AVX2", []string{"version"}, exitUsage, "", "darts: torch: processor: GODARTS_CPU=AVX2: no kind of processor (wanted none, simd128, avx2 or avx512)\n"},
		{"fast", []string{"search", "nowhere.yaml"}, exitUsage, "", "darts: torch: processor: GODARTS_CPU=fast: no kind of processor (wanted none, simd128, avx2 or avx512)\n"},
	} {
		p := exec.Command(darts, test.args...)
		p.Env = append(os.Environ(), "ATEN_CPU_CAPABILITY=default", "GODARTS_CPU="+test.cpu)
		var stdout, stderr bytes.Buffer
		p.Stdout, p.Stderr = &stdout, &stderr
		p.Run()
		if status := p.ProcessState.ExitCode(); status != test.status || !bytes.Contains(stdout.Bytes(), []byte(test.stdout)) || stderr.String() != test.stderr {
			t.Errorf("GODARTS_CPU=%s %v: status %d, stdout %q, stderr %q", test.cpu, test.args, status, &stdout, &stderr)
		}
	}
}

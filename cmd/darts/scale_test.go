package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"godarts/nas/config"
)

func TestScale(t *testing.T) {
	// The network of a budget is printed, and its config reads, when a published cell is scaled.
	t.Chdir(t.TempDir())
	const want = `  layers  channels  resolution  multiply-adds  parameters    
      14        50         224        573.5 M      5.08 M  <-
config of its training: mobile.yaml
`
	if got := printed(t, "scale", "DARTS_V2", "--max-multiply-adds", "600M", "-o", "mobile.yaml"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	text, err := os.ReadFile("mobile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("mobile.yaml", text)
	if err != nil || c.Network.Channels != 50 || c.Genotype != "DARTS_V2" {
		t.Errorf("%v: %s", err, text)
	}
}

func TestScaleRefuses(t *testing.T) {
	// Each wrong use of scale gets one line that says what was wanted.
	for _, test := range []struct{ line, want string }{
		{"scale DARTS_V2", "no budget given: use --max-multiply-adds or --max-parameters"},
		{"scale DARTS_V2 --max-multiply-adds 6X", "wanted a number above 0, such as 600M, 1.2G or 3500000"},
		{"scale DARTS_V2 --max-parameters -1", "wanted a number above 0"},
		{"scale DARTS_V2 --max-parameters 1M --layers 20-8", "wanted a number or a range, such as 14 or 8-20"},
		{"scale DARTS_V2 --max-parameters 1M --layers 8-20 --compound", "--compound scales one base"},
		{"scale DARTS_V2 --max-parameters 10", "no network of these sizes meets the budget"},
		{"scale DARTS_V2 --max-parameters 10M --resolution 33", "images of 33x33"},
		{"scale Genotype(recurrent=[('tanh',0)],concat=[1]) --max-parameters 1M", "is a recurrent cell, wanted cells for images"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(strings.Fields(test.line), &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), test.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q", test.line, status, stderr.String())
		}
	}
}

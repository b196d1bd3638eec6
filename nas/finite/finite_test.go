package finite_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"godarts/nas/finite"
)

type inner struct {
	Loss *float64 `json:"loss,omitempty"`
}

type outer struct {
	*inner
	Rows  []map[string]inner `json:"rows"`
	Plain float64
	Any   any    `json:"any"`
	Text  string `json:"text"`
}

func TestErrorsNameTheField(t *testing.T) {
	// The error names the field when a number is not finite; otherwise the text is that of encoding/json.
	nan, one := math.NaN(), 1.0
	for _, test := range []struct {
		value any
		want  string
	}{
		{outer{Rows: []map[string]inner{{}, {"a": {Loss: &nan}}}}, "rows[1].a.loss is NaN, which JSON cannot hold"},
		{outer{inner: &inner{Loss: &nan}}, "loss is NaN, which JSON cannot hold"},
		{&outer{Plain: math.Inf(1)}, "Plain is +Inf, which JSON cannot hold"},
		{outer{Any: []float32{0, float32(math.Inf(-1))}}, "any[1] is -Inf, which JSON cannot hold"},
		{outer{inner: &inner{Loss: &one}, Text: "x"}, ""},
		{nil, ""},
	} {
		for _, marshal := range []func(any) ([]byte, error){finite.Marshal, finite.Indented} {
			got := ""
			if _, err := marshal(test.value); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("%+v: got error %q, want %q", test.value, got, test.want)
			}
		}
	}
	if text, err := finite.Indented(inner{Loss: &one}); err != nil || string(text) != "{\n  \"loss\": 1\n}\n" {
		t.Errorf("got %q, error %v", text, err)
	}
}

func TestNothingElseMarshals(t *testing.T) {
	// Only this package writes JSON of numbers: no other file of nas and cmd calls encoding/json to write.
	own := regexp.MustCompile(`json\.(Marshal|MarshalIndent|NewEncoder)\(`)
	seen := 0
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(file string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "finite.go" {
				return err
			}
			seen++
			text, err := os.ReadFile(file)
			if own.Match(text) {
				t.Errorf("%s writes JSON by itself", file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("saw %d files", seen)
	}
}

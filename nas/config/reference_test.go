package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func TestReferenceIsCurrent(t *testing.T) {
	// The pages in docs equal what the tags give when `go generate ./nas/config` has run since the tags changed.
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"config.md": Reference(), "config.schema.json": string(schema)} {
		got, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("docs/%s: run `go generate ./nas/config`: %s", name, cmp.Diff(string(got), want))
		}
	}
}

func TestReferenceRows(t *testing.T) {
	// A row gives the meaning, values, scope and default of a key, and those that strategies have of their own.
	page := Reference()
	for _, want := range []string{
		"| `w.lr` | learning rate of the weights in the first epoch | a number, more than 0 | search; train | 0.025; texts: 20 |\n",
		"| `w.lr_min` | learning rate the cosine falls to, at most lr | a number, 0 or more | search; train (images only) | 0.001 in a search, 0 in training |\n",
		"| `strategy.order` | order of the architecture gradient: 1, or 2 (unrolled) | `1`, `2` | search by darts | 1 |\n",
		"| `data.test_batch` | columns of the test text | a whole number, 1 or more | search by random, evolution, reinforce; train (texts only) | 1 |\n",
		"| `repeat.search` | config of the searches, a path from this file's folder | text | repeat | required |\n",
		"| `p-darts` | `data.batch` 96, `w.lr_min` 0, `alpha.lr` 0.0006, `epochs` 75 |\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no row %s", want)
		}
	}
	if rows := strings.Count(page, "\n| `"); rows < len(current.Load().rows()) {
		t.Errorf("%d rows for %d keys", rows, len(current.Load().rows()))
	}
}

// validator compiles the schema.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// valid tells what schema has against a config's text.
func valid(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

func TestSchemaTakesConfigs(t *testing.T) {
	// The schema takes every config of the repository, as written and resolved, when an independent validator reads both.
	schema := validator(t)
	for _, name := range yamlFiles(t) {
		text, err := os.ReadFile(filepath.Join(configFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := valid(t, schema, resolved(t, filepath.Join(configFolder, name))); err != nil {
			t.Errorf("%s, resolved: %v", name, err)
		}
	}
}

func TestSchemaTries(t *testing.T) {
	// The schema takes the good value of each key when it is set alone, and refuses one of another type, an unknown key, and a config that says nothing of itself.
	schema := validator(t)
	for _, k := range current.Load().keys {
		trial, ok := trialOf(k.path)
		if !ok {
			t.Fatalf("%s: no row in trials", k.path)
		}
		if trial.good == "" {
			continue
		}
		if err := valid(t, schema, nested(k.path, trial.good)); err != nil {
			t.Errorf("%s: %s: %v", k.path, trial.good, err)
		}
		if err := valid(t, schema, nested(k.path, "{a: 1}")); err == nil && k.path != trainKey { // which may have keys
			t.Errorf("%s: the schema takes a mapping", k.path)
		}
	}
	for _, text := range []string{
		"experiment: search\nepoch: 3", "experiment: search\nw: {learning_rate: 1}", "experiment: tset", "epochs: 3", "extends: 3",
		"experiment: search\nw: {lr: 0}", "experiment: search\nnetwork: {channels: 7}", "experiment: search\nstrategy: {order: 3}",
		"experiment: search\nalpha: {betas: [0.5]}", "experiment: search\ndata: {std: [0.1, 0.2]}", "experiment: train\ngenotype: ''",
		"experiment: search\nspace: {operations: [sep_conv_9x9]}", "experiment: search\nstrategy: {layers: [3, 3, 1001]}",
	} {
		if valid(t, schema, []byte(text)) == nil {
			t.Errorf("the schema takes %q", text)
		}
	}
}

// nested is a search with one key, whose value is YAML.
func nested(path, value string) []byte {
	var text strings.Builder
	text.WriteString("experiment: search\n")
	names := strings.Split(path, ".")
	for depth, name := range names {
		text.WriteString(strings.Repeat("  ", depth) + name + ":")
		if depth == len(names)-1 {
			text.WriteString(" " + value)
		}
		text.WriteString("\n")
	}
	return []byte(text.String())
}

package runfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"godarts/nas/finite"
	"godarts/nas/wholefile"
)

// Write replaces a file atomically.
func Write(file string, content []byte) error {
	if err := wholefile.Write(file, content); err != nil {
		return fmt.Errorf("nas: write %s: %w", file, err)
	}
	return nil
}

// WriteJSON replaces a file atomically by v as JSON.
func WriteJSON(file string, v any) error {
	text, err := asJSON(file, v)
	if err != nil {
		return err
	}
	return Write(file, text)
}

// asJSON returns v as the content of file, which errors name.
func asJSON(file string, v any) ([]byte, error) {
	text, err := finite.Indented(v)
	if err != nil {
		return nil, fmt.Errorf("nas: write %s: %w", file, err)
	}
	return text, nil
}

// ReadJSON reads a file that WriteJSON wrote. Unknown and missing keys are errors.
func ReadJSON(file string, v any) error {
	text, err := wholefile.Read(file)
	if err != nil {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	if err := decode(text, v); err != nil {
		return fmt.Errorf("nas: %s: %w", file, err)
	}
	return nil
}

// decode returns an error if text is not JSON of v with all its keys.
func decode(text []byte, v any) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("the file is empty")
	}
	if err := json.Unmarshal(text, v); err != nil {
		return err
	}
	again, err := finite.Marshal(v)
	if err != nil {
		return err
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(text, &got), json.Unmarshal(again, &want)); err != nil {
		return err
	}
	return checkEqual(got, want, "")
}

// checkEqual returns an error if the decoded got differs from want; path is their place in the file.
func checkEqual(got, want any, path string) error {
	if x, ok := got.([]any); ok {
		if y, ok := want.([]any); ok && len(x) == len(y) {
			for i := range x {
				if err := checkEqual(x[i], y[i], fmt.Sprintf("%s[%d]", path, i)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	a, isObject := got.(map[string]any)
	b, wantsObject := want.(map[string]any)
	if !isObject || !wantsObject {
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s is %v, which reads as %v", strings.TrimPrefix(path, "."), got, want)
		}
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[key]; !ok {
			return fmt.Errorf("key %s is unknown", strings.TrimPrefix(path+"."+key, "."))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[key]; !ok {
			return fmt.Errorf("key %s is missing", strings.TrimPrefix(path+"."+key, "."))
		}
		if err := checkEqual(a[key], b[key], path+"."+key); err != nil {
			return err
		}
	}
	return nil
}

// Files of a run folder.
const (
	ConfigFile     = "config.yaml"            // the resolved config
	RunFile        = "run.json"               // versions, device, threads: a RunInfo
	MetricsFile    = "metrics.jsonl"          // one line for each report and each epoch: a Metric
	TimingsFile    = "timings.jsonl"          // times and memory, a Timing for each Metric
	LogFile        = "log.txt"                // what was printed
	CheckpointFile = "checkpoint.safetensors" // the newest; CheckpointNames has the earlier ones
	GenotypeFile   = "genotype.json"          // the cell that was found or trained
	WeightsFile    = "weights.safetensors"    // of a trained network
	StartFile      = "start.safetensors"      // what the training of a pruned network began with
	ResultFile     = "result.json"            // written last: the run is complete
	LatenciesFile  = "latencies.json"         // of a search that counts latency: the rows that it reads of tables, by key
	LockFile       = "lock"                   // held while a process works on the run
)

// Has reports whether dir has a file of this name.
func Has(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

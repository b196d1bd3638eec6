package nas

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// latestGenotype is the cell of the last epoch in the metrics of the run in dir, and how many
// epochs were done by then; empty if there is none.
func latestGenotype(dir string) (genotype string, epochs int, err error) {
	text, err := os.ReadFile(filepath.Join(dir, MetricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("nas: metrics: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		var m metric
		if json.Unmarshal([]byte(line), &m) == nil && m.Genotype != "" { // a kill may leave half a line
			genotype, epochs = m.Genotype, m.Epoch+1
		}
	}
	return genotype, epochs, nil
}

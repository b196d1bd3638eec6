package nas

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"godarts/nas/wholefile"
)

// Files that Export writes beside WeightsFile.
const (
	exportGenotype = "genotype.txt" // the reference's text
	exportModule   = "network.py"
)

// networkModule rebuilds in PyTorch the network that WeightsFile describes.
//
//go:embed python/network.py
var networkModule []byte

// Export writes the trained network of the complete run in dir to the folder to:
// its weights under the reference's names, its genotype, and a PyTorch module that
// rebuilds it from both. It returns the files.
func Export(dir, to string) (files []string, err error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if _, err := trained(dir, c); err != nil {
		return nil, err
	}
	return export(filepath.Join(dir, WeightsFile), to)
}

func export(weights, to string) (files []string, err error) {
	st, err := openWeights(weights)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := readDescription(st, weights)
	if err != nil {
		return nil, err
	}
	content, err := wholefile.Read(weights)
	if err != nil {
		return nil, fmt.Errorf("nas: export: %w", err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, fmt.Errorf("nas: export: %w", err)
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{WeightsFile, content}, {exportGenotype, []byte(about.Genotype.String() + "\n")}, {exportModule, networkModule},
	} {
		file := filepath.Join(to, f.name)
		if err := write(file, f.content); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

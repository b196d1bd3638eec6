package model

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// configKey is the metadata key of exported weights for the config of their training, as YAML.
const configKey = "config"

// TrainedConfig returns the config of the training in dir, the folder of a run or an export.
func TrainedConfig(dir string) (*config.Config, error) {
	if IsExport(dir) {
		return ExportConfig(dir)
	}
	return runfolder.ReadConfig(dir)
}

// TrainedCell returns the cell of the trained network in dir, a run of config c. It returns an error if
// there is none, or if the run's files disagree about it.
func TrainedCell(dir string, c *config.Config) (g genotype.Genotype, err error) {
	if c.Experiment != config.Train {
		return g, fmt.Errorf("nas: %s is a search, which has no trained network: train its cell with `%s`", dir, names.Command("darts", "train", "CONFIG", "--genotype", dir))
	}
	if !runfolder.Finished(dir) {
		return g, fmt.Errorf("nas: %s is not complete: go on with `%s`", dir, names.Command("darts", "train", "--resume", dir))
	}
	var result runfolder.TrainResult
	if err := runfolder.ReadResult(dir, c, &result); err != nil {
		return g, err
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if err != nil {
		return g, err
	}
	defer st.Close()
	var of struct{ Genotype genotype.Genotype }
	text, ok := st.Metadata()[DescriptionKey]
	if !ok {
		return result.Genotype, nil
	}
	if err := json.Unmarshal([]byte(text), &of); err != nil {
		return g, fmt.Errorf("nas: %s: metadata %q: %w", file, DescriptionKey, err)
	}
	if of.Genotype.String() != result.Genotype.String() {
		return g, fmt.Errorf("nas: the weights in %s are of another cell than %s", file, filepath.Join(dir, runfolder.ResultFile))
	}
	return result.Genotype, nil
}

// IsExport reports whether Export wrote the folder dir.
func IsExport(dir string) bool {
	return runfolder.Has(dir, runfolder.WeightsFile) && runfolder.Has(dir, runfolder.ExportedGenotypeFile)
}

// ExportConfig returns the config of the training whose network was exported to dir.
func ExportConfig(dir string) (*config.Config, error) {
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	text, ok := st.Metadata()[configKey]
	if !ok {
		return nil, fmt.Errorf("nas: %s does not say how its network was trained, as exports of now do: export the run once more", file)
	}
	return config.Parse(file, []byte(text))
}

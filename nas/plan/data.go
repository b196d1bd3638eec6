package plan

import (
	"context"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/runfolder"
)

// inspectData calls nas.InspectOnce for the searches and the trainings of a folder and returns the data
// by experiment. If both use the same data, it inspects once, for the trainings. looked is an earlier
// result of inspectData, or nil. If dir is empty, only the data is read and nothing is written.
func inspectData(
	ctx context.Context, dir string, search, train *config.Config, s nas.Settings, looked map[string]*runfolder.SharedData,
) (of map[string]*runfolder.SharedData, err error) {
	look := func(c *config.Config, file string) (*runfolder.SharedData, error) {
		s.Shared = looked[c.Experiment]
		if dir != "" {
			file = filepath.Join(dir, file)
		} else {
			file = ""
		}
		return nas.InspectOnce(ctx, c, file, s)
	}
	whole, err := look(train, runfolder.DataFile)
	if err != nil {
		return nil, err
	}
	of = map[string]*runfolder.SharedData{config.Train: whole, config.Search: whole}
	a, b := search.Data, train.Data
	if a.Name == b.Name && a.Root == b.Root && a.Labels == b.Labels {
		return of, nil
	}
	of[config.Search], err = look(search, "search-"+runfolder.DataFile)
	return of, err
}

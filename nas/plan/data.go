package plan

import (
	"context"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/runfolder"
)

// inspectData is lookOnce for the searches and the trainings of a folder, by experiment. Where
// both take the same data, it is that of the trainings. looked is what lookAt gave before,
// if it did. Without a folder nothing is read or written but the data.
func inspectData(ctx context.Context, dir string, search, train *config.Config, s nas.Settings, looked map[string]*runfolder.SharedData) (of map[string]*runfolder.SharedData, err error) {
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

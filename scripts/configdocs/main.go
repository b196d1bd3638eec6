// Command configdocs writes the reference of config keys, config.md and
// config.schema.json, to a folder:
//
//	go run ./scripts/configdocs docs
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"godarts/nas/config"
	_ "godarts/nas/search" // registers the strategies
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: configdocs FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "configdocs:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	schema, err := config.Schema()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "config.md"), []byte(config.Reference()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "config.schema.json"), schema, 0o644)
}

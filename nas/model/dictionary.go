package model

import (
	"fmt"

	"godarts/nas/config"
	"godarts/nas/data/corpus"
	"godarts/nas/names"
)

// dictionary returns the words of the text of c, if they are the ones that the weights know.
func dictionary(c *config.Config, d Description) ([]string, error) {
	text, err := corpus.Options{Name: c.Data.Name, Root: c.Data.Root, Tokens: c.Data.Tokens}.Open()
	if err != nil {
		return nil, err
	}
	if d.Dictionary != text.Dictionary() {
		return nil, fmt.Errorf("%s has other words, or in another order, than the weights know", names.Print(text.Name))
	}
	return text.Words, nil
}

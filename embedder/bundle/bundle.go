// Package bundle holds the default models within the binary, where it was built
// with the tag release; `make release` does that. In other builds it is empty.
package bundle

import (
	"errors"
	"io/fs"
)

// The files of a model, below its name.
const (
	packName      = "packed-int8.bin"
	tokenizerName = "tokenizer.json"
)

// Has tells whether the binary holds a model, in int8 for vecdb's own runtime.
func Has(model string) bool {
	if files == nil {
		return false
	}
	_, err := fs.Stat(files, "files/"+model+"/"+packName)
	return err == nil
}

// Read returns the packed model and its tokenizer.json.
func Read(model string) (pack, tokenizer []byte, err error) {
	if !Has(model) {
		return nil, nil, fs.ErrNotExist
	}
	pack, err = fs.ReadFile(files, "files/"+model+"/"+packName)
	tokenizer, err2 := fs.ReadFile(files, "files/"+model+"/"+tokenizerName)
	return pack, tokenizer, errors.Join(err, err2)
}

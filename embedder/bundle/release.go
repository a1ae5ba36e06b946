//go:build release

package bundle

import _ "embed" // for the models

// The files are put in place by `make release`.
var (
	//go:embed files/en.pack
	enPack []byte
	//go:embed files/en.json
	enTokenizer []byte
	//go:embed files/en.sha256
	enSource string
	//go:embed files/zh.pack
	zhPack []byte
	//go:embed files/zh.json
	zhTokenizer []byte
	//go:embed files/zh.sha256
	zhSource string
)

var models = map[string]Model{
	enSource: {Pack: enPack, Tokenizer: enTokenizer},
	zhSource: {Pack: zhPack, Tokenizer: zhTokenizer},
}

package server_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

// floats are the numbers of a vector in either encoding.
func floats(t *testing.T, v any) (out []float32) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = append(out, float32(x.(float64)))
		}
	case string:
		raw, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(raw); i += 4 {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
		}
	default:
		t.Fatalf("an embedding of type %T", v)
	}
	return out
}

func TestEmbeddingsInBothEncodings(t *testing.T) {
	r := newRig(t, server.Options{})
	numbers := read[client.EmbeddingResponse](t, r.want(200, "POST", "/v1/embeddings", `{"input":["a sad film","rice"],"user":"u"}`))
	packed := read[client.EmbeddingResponse](t, r.want(200, "POST", "/v1/embeddings", `{"input":["a sad film","rice"],"encoding_format":"base64","model":"all-MiniLM-L6-v2"}`))
	one := read[client.EmbeddingResponse](t, r.want(200, "POST", "/v1/embeddings", `{"input":"rice","encoding_format":"float"}`))
	if numbers.Object != "list" || numbers.Model != "all-MiniLM-L6-v2" || len(numbers.Data) != 2 || numbers.Usage.PromptTokens != 4 || numbers.Usage.TotalTokens != 4 {
		t.Errorf("answer %+v", numbers)
	}
	for i := range numbers.Data {
		a, b := floats(t, numbers.Data[i].Embedding), floats(t, packed.Data[i].Embedding)
		if len(a) != 384 || !slices.Equal(a, b) || numbers.Data[i].Index != i || numbers.Data[i].Object != "embedding" {
			t.Errorf("text %d differs between encodings", i)
		}
	}
	if !slices.Equal(floats(t, one.Data[0].Embedding), floats(t, numbers.Data[1].Embedding)) {
		t.Error("a text alone has another vector than among others")
	}
}

func TestShorterEmbeddingsHaveUnitLength(t *testing.T) {
	r := newRig(t, server.Options{})
	got := read[client.EmbeddingResponse](t, r.want(200, "POST", "/v1/embeddings", `{"input":"a father and his son cook rice and beans in the sea","dimensions":64}`))
	v, square := floats(t, got.Data[0].Embedding), 0.0
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if len(v) != 64 || math.Abs(square-1) > 1e-5 {
		t.Errorf("%d numbers of square %v", len(v), square)
	}
}

func TestEmbeddingErrorsHaveTheOpenAIShape(t *testing.T) {
	r := newRig(t, server.Options{})
	for body, param := range map[string]any{
		`{}`: "input", `{"input":""}`: "input/0", `{"input":[]}`: "input", `{"input":["a"," "]}`: "input/1", `{"input":[1,2,3]}`: "input",
		`{"input":[[1,2]]}`: "input", `{"input":{"a":1}}`: "input", `{"input":"a","encoding_format":"hex"}`: "encoding_format",
		`{"input":"a","dimensions":-1}`: "dimensions", `{"input":"a","dimensions":9999}`: "dimensions", `{"input":"a","input_type":"song"}`: "input_type",
		`{"input":"a","colour":1}`: "colour", `{`: nil, `{"input":"a","model":"gpt-9"}`: "model",
	} {
		status := http.StatusBadRequest
		if param == "model" {
			status = http.StatusNotFound
		}
		got := read[struct {
			Error struct {
				Message, Type, Code string
				Param               any
			}
		}](t, r.want(status, "POST", "/v1/embeddings", body))
		if got.Error.Message == "" || got.Error.Type != "invalid_request_error" || got.Error.Code == "" || got.Error.Param != param {
			t.Errorf("%s: %+v", body, got)
		}
	}
	many := fmt.Sprintf(`{"input":[%s"a"]}`, string(slices.Repeat([]byte(`"a",`), 3000)))
	r.want(400, "POST", "/v1/embeddings", many)
}

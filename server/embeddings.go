package server

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// embeddings answers in OpenAI's shape, so that its official clients work.
func (s *Server) embeddings(c *gin.Context) {
	var req client.EmbeddingRequest
	if err := s.decode(c, maxDocumentBytes, &req); err != nil {
		s.failOpenAI(c, err)
		return
	}
	out, err := s.embed(c, req)
	if err != nil {
		s.failOpenAI(c, err)
		return
	}
	reply(c, http.StatusOK, out)
}

func (s *Server) embed(c *gin.Context, req client.EmbeddingRequest) (out client.EmbeddingResponse, err error) {
	texts, err := inputTexts(req.Input)
	if err != nil {
		return out, err
	}
	kind, err := inputKind(req.InputType)
	if err != nil {
		return out, err
	}
	if req.EncodingFormat != "" && req.EncodingFormat != "float" && req.EncodingFormat != "base64" {
		return out, core.Invalid("/encoding_format", "use float or base64", "unknown encoding format %.40q", req.EncodingFormat)
	}
	r, model, err := s.db.Embed(c.Request.Context(), req.Model, "", kind, texts)
	if err != nil {
		return out, atInput(err)
	}
	out = client.EmbeddingResponse{Object: "list", Model: model, Data: make([]client.EmbeddingData, len(texts))}
	for i, v := range r.Vectors {
		if v, err = shorten(v, req.Dimensions); err != nil {
			return out, err
		}
		out.Data[i] = client.EmbeddingData{Object: "embedding", Index: i, Embedding: v}
		if req.EncodingFormat == "base64" {
			out.Data[i].Embedding = toBase64(v)
		}
		out.Usage.PromptTokens += r.Usage[i].Used
		if r.Usage[i].Used < r.Usage[i].Total {
			out.Truncated = append(out.Truncated, i)
		}
	}
	out.Usage.TotalTokens = out.Usage.PromptTokens
	return out, nil
}

// atInput puts "/input" before the pointer of an error about a text.
func atInput(err error) error {
	var in *core.InputError
	if errors.As(err, &in) && in.Pointer == "/model" {
		return err
	}
	return core.At("/input", err)
}

// inputTexts reads the input: one string or several.
func inputTexts(raw json.RawMessage) ([]string, error) {
	const hint = `for instance "input":"text" or "input":["text","text"]`
	if len(raw) == 0 {
		return nil, core.Invalid("/input", hint, "there is no input")
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return check([]string{one})
	}
	var several []string
	if json.Unmarshal(raw, &several) == nil {
		return check(several)
	}
	var tokens []any
	if json.Unmarshal(raw, &tokens) == nil {
		return nil, core.Invalid("/input", "send text; langchain's switch is check_embedding_ctx_length=False", "token ids are not taken, because the models here have other tokens")
	}
	return nil, core.Invalid("/input", hint, "the input is neither a string nor an array of strings")
}

func check(texts []string) ([]string, error) {
	if len(texts) == 0 || len(texts) > maxInputs {
		return nil, core.Invalid("/input", "send several requests", "an input has 1 to %d texts, not %d", maxInputs, len(texts))
	}
	for i, t := range texts {
		if strings.TrimSpace(t) == "" {
			return nil, core.Invalid(fmt.Sprintf("/input/%d", i), "leave it out", "the text is empty")
		}
		if len(t) > core.MaxTextBytes {
			return nil, core.Invalid(fmt.Sprintf("/input/%d", i), "cut it", "the text has more than %d bytes", core.MaxTextBytes)
		}
	}
	return texts, nil
}

func inputKind(name string) (embedder.Kind, error) {
	switch name {
	case "query":
		return embedder.Query, nil
	case "", "document", "passage":
		return embedder.Passage, nil
	}
	return embedder.Passage, core.Invalid("/input_type", "use query or document", "unknown input type %.40q", name)
}

// shorten keeps the first n numbers of a vector and scales them to unit
// length, as OpenAI's models do; 0 keeps all.
func shorten(v []float32, n int) ([]float32, error) {
	if n == 0 {
		return v, nil
	}
	if n < 0 || n > len(v) {
		return nil, core.Invalid("/dimensions", "", "the model gives 1 to %d dimensions, not %d", len(v), n)
	}
	return core.Shorten(v, n), nil
}

func toBase64(v []float32) string {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// failOpenAI answers with an error in OpenAI's shape.
func (s *Server) failOpenAI(c *gin.Context, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		s.opts.Logger.Error("request failed", "route", c.FullPath(), "status", p.Status, "error", err)
	}
	kind, param := "invalid_request_error", any(nil)
	if p.Status >= http.StatusInternalServerError {
		kind = "server_error"
	}
	message := p.Detail
	if len(p.Errors) > 0 {
		if p.Errors[0].Pointer != "" {
			param = strings.TrimPrefix(p.Errors[0].Pointer, "/")
		}
		if p.Errors[0].Hint != "" {
			message += " (" + p.Errors[0].Hint + ")"
		}
	}
	c.Abort()
	reply(c, p.Status, gin.H{"error": gin.H{"message": message, "type": kind, "param": param, "code": p.Code}})
}

func (s *Server) listModels(c *gin.Context) {
	out := client.Models{Object: "list", Data: []client.Model{}}
	for _, m := range s.db.Models() {
		out.Data = append(out.Data, client.Model{
			ID: m.Name, Object: "model", OwnedBy: m.Home, Language: m.Language, Dimension: m.Dim, MaxTokens: m.MaxTokens, Licence: m.Licence, Ready: m.Ready,
		})
	}
	reply(c, http.StatusOK, out)
}

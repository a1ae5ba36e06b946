package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/train"
)

// learningFigures tells what collections learn, and what came of it, when it is
// asked for.
type learningFigures struct{ db *vecdb.DB }

var (
	byField = []string{"collection", "field"}

	trainingsDesc    = prometheus.NewDesc("vecdb_trainings_total", "Trainings of heads since the start: learnt, refused for too few labels, or failed.", []string{"collection", "field", "result"}, nil)
	trainingTimeDesc = prometheus.NewDesc("vecdb_training_seconds_total", "Time that trainings of heads took since the start.", byField, nil)
	headVersionDesc  = prometheus.NewDesc("vecdb_head_version", "Version of what was learnt from labels, grows with each training.", byField, nil)
	headExamplesDesc = prometheus.NewDesc("vecdb_head_examples", "Documents that the head in use has learnt from.", byField, nil)
	headLabelsDesc   = prometheus.NewDesc("vecdb_head_labels", "Labels that the head in use tells apart.", byField, nil)
	headAccuracyDesc = prometheus.NewDesc("vecdb_head_accuracy", "Accuracy of the head in use by cross-validation at its training, missing without one.", byField, nil)
	headTrainedDesc  = prometheus.NewDesc("vecdb_head_trained_timestamp_seconds", "When the head in use was trained.", byField, nil)

	answersDesc        = prometheus.NewDesc("vecdb_answers_total", "Questions since the start: answered, or none sure enough.", []string{"collection", "result"}, nil)
	feedbackDesc       = prometheus.NewDesc("vecdb_feedback", "Pairs of a question and an answer that users have judged.", []string{"collection"}, nil)
	calibrationsDesc   = prometheus.NewDesc("vecdb_calibrations_total", "Calibrations of answers since the start: learnt, refused for want of questions, or failed.", []string{"collection", "field", "result"}, nil)
	calibrateTimeDesc  = prometheus.NewDesc("vecdb_calibration_seconds_total", "Time that calibrations of answers took since the start.", byField, nil)
	answerExamplesDesc = prometheus.NewDesc("vecdb_answer_examples", "Questions that the calibration in use was fitted to.", byField, nil)
	answerAccuracyDesc = prometheus.NewDesc("vecdb_answer_accuracy", "Share of the questions with a known answer for which it comes first, missing where there are none.", byField, nil)
	answerErrorDesc    = prometheus.NewDesc("vecdb_answer_calibration_error", "Expected calibration error of the confidence of answers.", byField, nil)
)

// Describe implements prometheus.Collector.
func (learningFigures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{trainingsDesc, trainingTimeDesc, headVersionDesc, headExamplesDesc, headLabelsDesc, headAccuracyDesc, headTrainedDesc,
		answersDesc, feedbackDesc, calibrationsDesc, calibrateTimeDesc, answerExamplesDesc, answerAccuracyDesc, answerErrorDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (f learningFigures) Collect(to chan<- prometheus.Metric) {
	for _, col := range f.db.Collections() {
		l, name := col.Learning(), col.Name()
		for _, h := range l.Heads {
			tellRuns(to, trainingsDesc, trainingTimeDesc, h.Runs, name, h.Field)
			tellHead(to, h.Version, h.Info, name, h.Field)
		}
		for _, c := range l.Calibrations {
			tellRuns(to, calibrationsDesc, calibrateTimeDesc, c.Runs, name, c.Field)
			tellCalibration(to, c, name)
		}
		to <- prometheus.MustNewConstMetric(answersDesc, prometheus.CounterValue, float64(l.Sure), name, "answered")
		to <- prometheus.MustNewConstMetric(answersDesc, prometheus.CounterValue, float64(l.Unsure), name, "unsure")
		to <- prometheus.MustNewConstMetric(feedbackDesc, prometheus.GaugeValue, float64(l.Feedback), name)
	}
}

func tellRuns(to chan<- prometheus.Metric, counts, seconds *prometheus.Desc, r vecdb.Runs, collection, field string) {
	for result, n := range map[string]int{"learnt": r.Learnt, "refused": r.Refused, "failed": r.Failed} {
		to <- prometheus.MustNewConstMetric(counts, prometheus.CounterValue, float64(n), collection, field, result)
	}
	to <- prometheus.MustNewConstMetric(seconds, prometheus.CounterValue, r.Seconds, collection, field)
}

func tellHead(to chan<- prometheus.Metric, version int, i *train.Info, of ...string) {
	to <- prometheus.MustNewConstMetric(headVersionDesc, prometheus.GaugeValue, float64(version), of...)
	if i == nil {
		return
	}
	to <- prometheus.MustNewConstMetric(headExamplesDesc, prometheus.GaugeValue, float64(i.Examples), of...)
	to <- prometheus.MustNewConstMetric(headLabelsDesc, prometheus.GaugeValue, float64(len(i.Labels)), of...)
	to <- prometheus.MustNewConstMetric(headTrainedDesc, prometheus.GaugeValue, float64(i.Trained.Unix()), of...)
	for _, c := range i.Candidates {
		if c.Method == i.Method && i.Judged > 0 {
			to <- prometheus.MustNewConstMetric(headAccuracyDesc, prometheus.GaugeValue, c.Accuracy, of...)
		}
	}
}

func tellCalibration(to chan<- prometheus.Metric, c vecdb.CalibrationFigures, collection string) {
	f, of := c.Fitted, []string{collection, c.Field}
	if f == nil {
		return
	}
	to <- prometheus.MustNewConstMetric(answerExamplesDesc, prometheus.GaugeValue, float64(f.Examples), of...)
	to <- prometheus.MustNewConstMetric(answerErrorDesc, prometheus.GaugeValue, f.ECE, of...)
	if f.Judged > 0 {
		to <- prometheus.MustNewConstMetric(answerAccuracyDesc, prometheus.GaugeValue, f.Accuracy, of...)
	}
}

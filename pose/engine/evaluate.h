// One pass over a data set in evaluation mode.
#pragma once

#include <functional>

#include "data/loader.h"
#include "pose/engine/model.h"
#include "pose/engine/run_log.h"
#include "pose/metrics/metric.h"

namespace limber {

// Told of every batch when its predictions are there.
using SampleSink = std::function<void(std::span<const DataSample>)>;

struct Evaluation {
  MetricValues metrics;
  double seconds = 0, data_seconds = 0;
  int64_t images = 0;
};

// Fills pred_instances of a batch's samples, in image space.
using Predict = std::function<void(std::vector<DataSample>&)>;

// Predicts every sample of the loader and computes the metrics. `title` stands in front of the
// progress line.
Evaluation evaluate(const Predict& predict, Loader& loader, Evaluator& evaluator, RunLog& log,
                    const std::string& title, const SampleSink& sink = {});
Evaluation evaluate(const Model& model, Loader& loader, Evaluator& evaluator, RunLog& log,
                    const std::string& title, const SampleSink& sink = {});

// What the data set of a config node says about its key points.
DatasetMeta metainfo_of_dataset(const Config& dataset);

}  // namespace limber

// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/test_model_writer.h"

#include <algorithm>
#include <cstring>

namespace ota::formats {

namespace {

// A field of a table: its bytes, or a reference that is filled in when the target is written.
struct Field {
  uint32_t slot;
  std::vector<uint8_t> bytes;
};

class FlatWriter {
 public:
  std::vector<uint8_t> Take() { return std::move(bytes_); }
  uint32_t size() const { return static_cast<uint32_t>(bytes_.size()); }

  void Append(const void* data, size_t length) {
    const auto* const at = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), at, at + length);
  }
  void AppendU32(uint32_t value) { Append(&value, 4); }
  void Align(uint32_t unit, uint32_t ahead = 0) {
    while ((bytes_.size() + ahead) % unit != 0) bytes_.push_back(0);
  }

  // Lets the reference at `at` lead to `target`.
  void Patch(uint32_t at, uint32_t target) {
    const uint32_t distance = target - at;
    std::memcpy(bytes_.data() + at, &distance, 4);
  }

  // Writes a vtable and its table; returns the table's position. positions[i] receives where field
  // i lies.
  uint32_t WriteTable(const std::vector<Field>& fields, std::vector<uint32_t>& positions) {
    uint32_t slots = 0;
    for (const Field& field : fields) slots = std::max(slots, field.slot + 1);
    std::vector<uint16_t> vtable(2 + slots, 0);
    uint32_t table_bytes = 4;
    for (const Field& field : fields) {
      vtable[2 + field.slot] = static_cast<uint16_t>(table_bytes);
      table_bytes += static_cast<uint32_t>((field.bytes.size() + 3) / 4 * 4);
    }
    vtable[0] = static_cast<uint16_t>(vtable.size() * 2);
    vtable[1] = static_cast<uint16_t>(table_bytes);
    Align(4);
    const uint32_t vtable_position = size();
    Append(vtable.data(), vtable.size() * 2);
    Align(4);
    const uint32_t table = size();
    AppendU32(table - vtable_position);
    positions.clear();
    for (const Field& field : fields) {
      positions.push_back(size());
      Append(field.bytes.data(), field.bytes.size());
      Align(4);
    }
    return table;
  }

  template <typename T>
  uint32_t WriteVector(const std::vector<T>& values) {
    Align(16, 4);
    const uint32_t position = size();
    AppendU32(static_cast<uint32_t>(values.size()));
    Append(values.data(), values.size() * sizeof(T));
    return position;
  }

  uint32_t WriteString(const std::string& text) {
    Align(4);
    const uint32_t position = size();
    AppendU32(static_cast<uint32_t>(text.size()));
    Append(text.c_str(), text.size() + 1);
    return position;
  }

  // A vector of references, to be patched one by one; returns its position.
  uint32_t WriteReferences(size_t count) {
    Align(4);
    const uint32_t position = size();
    AppendU32(static_cast<uint32_t>(count));
    for (size_t i = 0; i < count; ++i) AppendU32(0);
    return position;
  }

 private:
  std::vector<uint8_t> bytes_;
};

template <typename T>
std::vector<uint8_t> Scalar(T value) {
  std::vector<uint8_t> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

Field Reference(uint32_t slot) { return {slot, std::vector<uint8_t>(4, 0)}; }

class ModelWriter {
 public:
  explicit ModelWriter(const std::vector<SubgraphSpec>& subgraphs) : subgraphs_(subgraphs) {}

  std::vector<uint8_t> Write() {
    writer_.AppendU32(0);
    writer_.Append("TFL3", 4);
    std::vector<uint32_t> fields;
    const uint32_t model = writer_.WriteTable({{model_slot::kVersion, Scalar(uint32_t{3})},
                                               Reference(model_slot::kOperatorCodes),
                                               Reference(model_slot::kSubgraphs),
                                               Reference(model_slot::kBuffers)},
                                              fields);
    writer_.Patch(0, model);
    WriteCodes(fields[1]);
    const uint32_t subgraphs = writer_.WriteReferences(subgraphs_.size());
    writer_.Patch(fields[2], subgraphs);
    for (size_t i = 0; i < subgraphs_.size(); ++i) {
      WriteSubgraph(subgraphs_[i], ElementAt(subgraphs, i));
    }
    WriteBuffers(fields[3]);
    return writer_.Take();
  }

 private:
  static uint32_t ElementAt(uint32_t vector, size_t index) {
    return vector + 4 + 4 * static_cast<uint32_t>(index);
  }

  void WriteCodes(uint32_t field) {
    for (const SubgraphSpec& subgraph : subgraphs_) {
      for (const OperatorSpec& entry : subgraph.operators) operators_.push_back(&entry);
    }
    const uint32_t codes = writer_.WriteReferences(operators_.size());
    writer_.Patch(field, codes);
    for (size_t i = 0; i < operators_.size(); ++i) {
      const OperatorSpec& entry = *operators_[i];
      const auto code = static_cast<int32_t>(entry.code);
      std::vector<uint32_t> fields;
      std::vector<Field> wanted = {
          {operator_code_slot::kDeprecatedCode, Scalar(static_cast<int8_t>(std::min(code, 127)))},
          {operator_code_slot::kCode, Scalar(code)}};
      if (!entry.custom_name.empty()) wanted.push_back(Reference(operator_code_slot::kCustomName));
      writer_.Patch(ElementAt(codes, i), writer_.WriteTable(wanted, fields));
      if (!entry.custom_name.empty()) {
        writer_.Patch(fields[2], writer_.WriteString(entry.custom_name));
      }
    }
  }

  void WriteSubgraph(const SubgraphSpec& subgraph, uint32_t reference) {
    std::vector<uint32_t> fields;
    const uint32_t table = writer_.WriteTable(
        {Reference(subgraph_slot::kTensors), Reference(subgraph_slot::kInputs),
         Reference(subgraph_slot::kOutputs), Reference(subgraph_slot::kOperators)},
        fields);
    writer_.Patch(reference, table);
    writer_.Patch(fields[1], writer_.WriteVector(subgraph.inputs));
    writer_.Patch(fields[2], writer_.WriteVector(subgraph.outputs));
    const uint32_t tensors = writer_.WriteReferences(subgraph.tensors.size());
    writer_.Patch(fields[0], tensors);
    for (size_t i = 0; i < subgraph.tensors.size(); ++i) {
      WriteTensor(subgraph.tensors[i], ElementAt(tensors, i));
    }
    const uint32_t operators = writer_.WriteReferences(subgraph.operators.size());
    writer_.Patch(fields[3], operators);
    for (size_t i = 0; i < subgraph.operators.size(); ++i) {
      WriteOperator(subgraph.operators[i], ElementAt(operators, i));
    }
  }

  void WriteTensor(const TensorSpec& tensor, uint32_t reference) {
    uint32_t buffer = 0;
    if (!tensor.data.empty()) {
      buffers_.push_back(&tensor.data);
      buffer = static_cast<uint32_t>(buffers_.size());
    }
    std::vector<uint32_t> fields;
    const uint32_t table =
        writer_.WriteTable({Reference(tensor_slot::kShape),
                            {tensor_slot::kType, Scalar(static_cast<uint8_t>(tensor.type))},
                            {tensor_slot::kBuffer, Scalar(buffer)},
                            Reference(tensor_slot::kQuantization),
                            {tensor_slot::kIsVariable, Scalar(uint8_t{tensor.is_variable})}},
                           fields);
    writer_.Patch(reference, table);
    writer_.Patch(fields[0], writer_.WriteVector(tensor.shape));
    std::vector<uint32_t> quantization;
    const uint32_t quantization_table = writer_.WriteTable(
        {Reference(quantization_slot::kScale),
         Reference(quantization_slot::kZeroPoint),
         {quantization_slot::kQuantizedDimension, Scalar(tensor.channel_dimension)}},
        quantization);
    writer_.Patch(fields[3], quantization_table);
    writer_.Patch(quantization[0], writer_.WriteVector(tensor.scales));
    const std::vector<int64_t> zero_points(tensor.scales.empty() ? 0 : 1, tensor.zero_point);
    writer_.Patch(quantization[1], writer_.WriteVector(zero_points));
  }

  void WriteOperator(const OperatorSpec& entry, uint32_t reference) {
    std::vector<uint32_t> fields;
    const uint32_t table =
        writer_.WriteTable({{operator_slot::kCodeIndex, Scalar(operator_count_++)},
                            Reference(operator_slot::kInputs),
                            Reference(operator_slot::kOutputs),
                            {operator_slot::kOptionsType, Scalar(uint8_t{1})},
                            Reference(operator_slot::kOptions),
                            Reference(operator_slot::kCustomOptions),
                            Reference(operator_slot::kIntermediates)},
                           fields);
    writer_.Patch(reference, table);
    writer_.Patch(fields[1], writer_.WriteVector(entry.inputs));
    writer_.Patch(fields[2], writer_.WriteVector(entry.outputs));
    writer_.Patch(fields[4], WriteOptions(entry.options));
    writer_.Patch(fields[5], writer_.WriteVector(entry.custom_options));
    writer_.Patch(fields[6], writer_.WriteVector(entry.intermediates));
  }

  uint32_t WriteOptions(const std::vector<OptionField>& options) {
    std::vector<Field> wanted;
    for (const OptionField& option : options) {
      wanted.push_back(option.is_text ? Reference(option.slot) : Field{option.slot, option.bytes});
    }
    std::vector<uint32_t> fields;
    const uint32_t table = writer_.WriteTable(wanted, fields);
    for (size_t i = 0; i < options.size(); ++i) {
      const std::string text(options[i].bytes.begin(), options[i].bytes.end());
      if (options[i].is_text) writer_.Patch(fields[i], writer_.WriteString(text));
    }
    return table;
  }

  void WriteBuffers(uint32_t field) {
    const uint32_t buffers = writer_.WriteReferences(buffers_.size() + 1);
    writer_.Patch(field, buffers);
    std::vector<uint32_t> fields;
    writer_.Patch(ElementAt(buffers, 0), writer_.WriteTable({}, fields));
    for (size_t i = 0; i < buffers_.size(); ++i) {
      const uint32_t table = writer_.WriteTable({Reference(buffer_slot::kData)}, fields);
      writer_.Patch(ElementAt(buffers, i + 1), table);
      writer_.Patch(fields[0], writer_.WriteVector(*buffers_[i]));
    }
  }

  const std::vector<SubgraphSpec>& subgraphs_;
  FlatWriter writer_;
  std::vector<const OperatorSpec*> operators_;
  std::vector<const std::vector<uint8_t>*> buffers_;
  uint32_t operator_count_ = 0;
};

}  // namespace

OptionField OptionU8(uint32_t slot, uint8_t value) { return {slot, {value}}; }
OptionField OptionI32(uint32_t slot, int32_t value) { return {slot, Scalar(value)}; }
OptionField OptionF32(uint32_t slot, float value) { return {slot, Scalar(value)}; }
OptionField OptionText(uint32_t slot, const std::string& text) {
  return {slot, std::vector<uint8_t>(text.begin(), text.end()), true};
}

std::vector<uint8_t> WriteModel(const std::vector<SubgraphSpec>& subgraphs) {
  return ModelWriter(subgraphs).Write();
}

}  // namespace ota::formats

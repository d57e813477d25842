"""Which operators a model file may use, and which of their operands decide how much memory they take."""

OPSET = 18
"""Version of the operators that fieldguide writes: runtimes on phones and in browsers know it."""
IR_VERSION = 10
"""Version of the file format that fieldguide writes."""

_ARITHMETIC = """
Abs Add Ceil Clip Cos Div Elu Erf Exp Floor Gelu HardSigmoid HardSwish LeakyRelu Log Max Mean Min Mish Mod Mul
Neg PRelu Pow Reciprocal Relu Round Selu Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Swish Tanh
ThresholdedRelu
"""
_LOGIC = "And Equal Greater GreaterOrEqual If IsInf IsNaN Less LessOrEqual Not Or Where Xor"
_SHAPES = """
Cast CastLike Concat Constant ConstantOfShape DepthToSpace Dropout Expand Flatten Gather GatherElements
GatherND Identity OneHot Pad Range Reshape Resize ScatterElements ScatterND Shape Size Slice SpaceToDepth
Split Squeeze Tile Transpose Trilu Unsqueeze
"""
_REDUCTIONS = """
ArgMax ArgMin CumSum ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
ReduceSum ReduceSumSquare TopK
"""
_LAYERS = """
Attention AveragePool BatchNormalization Conv ConvTranspose Einsum Gemm GlobalAveragePool GlobalMaxPool
GroupNormalization InstanceNormalization LRN LayerNormalization LogSoftmax LpNormalization MatMul MaxPool
RMSNormalization RotaryEmbedding Softmax
"""
_QUANTISED = """
ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul QuantizeLinear
"""

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""Names that an opset may have. Exporters name `ai.onnx.ml`, but none of its operators is allowed yet."""

OPERATORS = frozenset(" ".join((_ARITHMETIC, _LOGIC, _SHAPES, _REDUCTIONS, _LAYERS, _QUANTISED)).split())
"""What convolutional networks and vision transformers need. Loops, random numbers, strings, sequences, image
decoders and whatever touches anything but tensors are missing on purpose."""

FOLDABLE = frozenset(
    f"{_ARITHMETIC} {_LOGIC} {_REDUCTIONS} Cast CastLike Concat Constant DequantizeLinear Flatten Gather "
    "Identity MatMul Reshape ScatterND Shape Size Slice Split Squeeze Transpose Trilu Unsqueeze".split()
)
"""Operators that may be fed by constants alone: ONNX Runtime computes those while it loads the file. None
gives more elements than its operands' numbers of elements multiplied, or added for `Concat`."""

RESTORING = "DequantizeLinear"
"""Gives as many elements as its first operand has; the others are scales."""

SIZES: dict[str, tuple[int, ...]] = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "OneHot": (1,),
    "Pad": (1,),
    "Range": (0, 1, 2),
    "Resize": (2, 3),
    "Tile": (1,),
}
"""Operators whose result is as large as the values of these operands say."""

EXTENTS = frozenset(("dilations", "kernel_shape", "output_padding", "output_shape", "pads", "strides"))
"""Attributes that say how large a result is."""

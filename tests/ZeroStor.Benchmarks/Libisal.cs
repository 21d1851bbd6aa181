using System.Runtime.InteropServices;

namespace ZeroStor.Benchmarks;

/// <summary>Intel's ISA-L as Debian ships it: the peer that the codec is held against. Called as its own
/// programs call it: tables made once, addresses handed over, nothing checked.</summary>
internal sealed unsafe partial class Libisal
{
    /// <summary>What to install where it is missing.</summary>
    internal const string Package = "libisal2";

    private const string Library = "libisal.so.2";

    // A coefficient takes two tables of sixteen products.
    private const int TableBytes = 32;

    private readonly byte[] _tables;
    private readonly int _inputs;
    private readonly int _outputs;

    /// <param name="coefficients">A row for each output, a column for each input.</param>
    internal Libisal(byte[][] coefficients)
    {
        _outputs = coefficients.Length;
        _inputs = coefficients[0].Length;
        _tables = GC.AllocateArray<byte>(_inputs * _outputs * TableBytes, pinned: true);
        fixed (byte* rows = coefficients.SelectMany(row => row).ToArray())
        {
            InitTables(_inputs, _outputs, rows, TablesAddress);
        }
    }

    /// <summary>Whether this machine has it.</summary>
    internal static bool IsThere { get; } = NativeLibrary.TryLoad(Library, out _);

    private byte* TablesAddress => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_tables, 0);

    /// <summary>Computes every output.</summary>
    internal void Run(byte** inputs, byte** outputs, int bytes) =>
        EncodeData(bytes, _inputs, _outputs, TablesAddress, inputs, outputs);

    [LibraryImport(Library, EntryPoint = "ec_init_tables")]
    private static partial void InitTables(int inputs, int outputs, byte* rows, byte* tables);

    [LibraryImport(Library, EntryPoint = "ec_encode_data")]
    private static partial void EncodeData(
        int bytes, int inputs, int outputs, byte* tables, byte** data, byte** coding);
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ZeroStor.Benchmarks;

/// <summary>Intel's ISA-L as Debian ships it: the peer that the codec is held against. Called as its own
/// programs call it: tables made once, addresses handed over, nothing checked. Where the runtime is told to do without
/// AVX-512 (<c>DOTNET_EnableAVX512=0</c>), so is ISA-L: it is called by the name of the function that it would choose by
/// itself on such a processor, which the library exports.</summary>
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

    private static readonly nint Handle = NativeLibrary.TryLoad(Library, out nint handle) ? handle : 0;

    private static readonly delegate* unmanaged<int, int, int, byte*, byte**, byte**, void> EncodeData =
        (delegate* unmanaged<int, int, int, byte*, byte**, byte**, void>)(
            Handle == 0 ? 0 : NativeLibrary.GetExport(Handle, Function));

    /// <summary>Whether this machine has it.</summary>
    internal static bool IsThere => Handle != 0;

    /// <summary>The function of it that is measured.</summary>
    internal static string Function =>
        Avx2.IsSupported && !Avx512BW.IsSupported ? "ec_encode_data_avx2" : "ec_encode_data";

    private byte* TablesAddress => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_tables, 0);

    /// <summary>Computes every output.</summary>
    internal void Run(byte** inputs, byte** outputs, int bytes) =>
        EncodeData(bytes, _inputs, _outputs, TablesAddress, inputs, outputs);

    [LibraryImport(Library, EntryPoint = "ec_init_tables")]
    private static partial void InitTables(int inputs, int outputs, byte* rows, byte* tables);
}

using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ZeroStor.CommandLine.Bench;

/// <summary>A file for measuring, each of whose writes goes past the page cache and is durable when it
/// returns. It loses its name as soon as it is made, so that nothing is left of it whatever ends this
/// process.</summary>
internal sealed class DirectFile : IDisposable
{
    /// <summary>Offsets, lengths and addresses are multiples of this: no device wants more.</summary>
    public const int AlignmentBytes = BufferPool.AlignmentBytes;

    // open(2) on Linux: read and write, create, exclusively, close on exec, and wait for each write to be
    // durable.
    private const int Flags = 2 | 0x40 | 0x80 | 0x80000 | 0x1000;
    private const int OwnerOnly = 0b110_000_000;

    private readonly SafeFileHandle _handle;

    private DirectFile(SafeFileHandle handle) => _handle = handle;

    // The number of the flag differs between architectures.
    private static int DirectFlag => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 0x4000,
        Architecture.Arm64 => 0x10000,
        _ => 0,
    };

    /// <exception cref="IOException">The folder cannot be written so, and why.</exception>
    public static DirectFile Create(string folder)
    {
        if (!OperatingSystem.IsLinux() || DirectFlag == 0)
        {
            throw new IOException("direct writes are known here on Linux alone, on x64 and arm64");
        }

        string path = Path.Combine(
            folder, $"zs-bench-{RandomNumberGenerator.GetHexString(16, lowercase: true)}.tmp");
        int descriptor = open(path, Flags | DirectFlag, OwnerOnly);
        if (descriptor < 0)
        {
            string why = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            throw new IOException($"{folder}: {why}");
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            File.Delete(path);
            return new DirectFile(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(_handle, bytes, offset);

    public void Dispose() => _handle.Dispose();

    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);
}

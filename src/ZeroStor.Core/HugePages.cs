using System.Runtime.InteropServices;

namespace ZeroStor;

/// <summary>Asks the kernel for huge pages under a range of memory. Advice only: where there are none, or it does not
/// know them, all is as without. Thread-safe.</summary>
internal static partial class HugePages
{
    /// <summary>Of x86-64, and of Arm64 with small pages of 4 KiB.</summary>
    public const int PageBytes = 2 * 1024 * 1024;

    // MADV_HUGEPAGE of linux/mman.h.
    private const int Advice = 14;

    /// <param name="address">Where the range begins: where such a page does.</param>
    /// <param name="bytes">Of the range; what is less than a page at its end stays in small ones.</param>
    public static void Prefer(nint address, int bytes)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Advise(address, bytes / PageBytes * PageBytes, Advice);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(nint address, nint bytes, int advice);
}

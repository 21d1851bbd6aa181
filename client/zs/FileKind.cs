using System.Runtime.InteropServices;

namespace ZeroStor.CommandLine;

/// <summary>What a path leads to, symbolic links followed, and which file it is. .NET tells neither a pipe
/// from a file (opening one would wait for a writer for ever) nor whether two paths are one folder; Linux's
/// statx does, and its record looks the same on every processor.</summary>
/// <param name="Type">The type bits of the mode; 0 where the system does not tell.</param>
/// <param name="Identity">Device and number: the same for all paths to one file.</param>
internal readonly record struct FileKind(int Type, (uint Major, uint Minor, ulong Number) Identity)
{
    // linux/stat.h
    private const int AtCurrentFolder = -100;
    private const uint BasicStats = 0x7ff;
    private const int RecordBytes = 256;
    private const int ModeOffset = 28;
    private const int NumberOffset = 32;
    private const int DeviceMajorOffset = 136;
    private const int DeviceMinorOffset = 140;
    private const int TypeMask = 0xf000;

    private const int Pipe = 0x1000;
    private const int CharacterDevice = 0x2000;
    private const int Folder = 0x4000;
    private const int BlockDevice = 0x6000;
    private const int File = 0x8000;
    private const int Socket = 0xc000;

    // errno.h
    private const int NoSuchFile = 2;
    private const int NoPermission = 13;
    private const int TooManyLinks = 40;

    public bool IsFolder => Type == Folder;

    public bool IsFile => Type == File;

    /// <summary>For messages.</summary>
    public string Name => Type switch
    {
        Pipe => "a named pipe",
        CharacterDevice or BlockDevice => "a device",
        Socket => "a socket",
        _ => "neither a file nor a folder",
    };

    /// <exception cref="IOException">It leads nowhere, or cannot be looked at.</exception>
    public static FileKind Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Directory.Exists(path) ? new FileKind(Folder, default)
                : System.IO.File.Exists(path) ? new FileKind(File, default)
                : throw new IOException($"'{path}' does not exist.");
        }

        byte[] record = new byte[RecordBytes];
        if (statx(AtCurrentFolder, path, 0, BasicStats, record) != 0)
        {
            throw new IOException(Marshal.GetLastPInvokeError() switch
            {
                NoSuchFile when new FileInfo(path).LinkTarget is not null =>
                    $"'{path}' is a link that leads nowhere.",
                NoSuchFile => $"'{path}' does not exist.",
                NoPermission => $"'{path}' may not be read.",
                TooManyLinks => $"'{path}' is a link in a loop of links.",
                int error => $"'{path}' cannot be looked at: {Marshal.GetPInvokeErrorMessage(error)}.",
            });
        }

        return new FileKind(
            BitConverter.ToUInt16(record, ModeOffset) & TypeMask,
            (BitConverter.ToUInt32(record, DeviceMajorOffset),
                BitConverter.ToUInt32(record, DeviceMinorOffset),
                BitConverter.ToUInt64(record, NumberOffset)));
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(
        int folder,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path,
        int flags,
        uint mask,
        [Out] byte[] record);
}

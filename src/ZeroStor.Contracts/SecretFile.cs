using System.Globalization;
using System.Security.Cryptography;
using ZeroStor.Volumes;

namespace ZeroStor.Contracts;

/// <summary>A small file with a secret in it, which only its owner may read. It is written beside its name, synced and
/// moved, so a crash leaves no half of it behind a name that is believed.</summary>
public static class SecretFile
{
    /// <summary>Far more than any key file has.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>What it holds, in an array that the collector never copies and the caller zeroes; null where there is
    /// none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">For messages: what it is.</param>
    /// <exception cref="ZeroStorException">Forbidden: others may read or write it, or this user may not;
    /// InvalidArgument: too long for a key.</exception>
    public static byte[]? Read(string path, string what)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new ZeroStorException(ErrorKind.Forbidden, $"Others may read the {what} {path}: chmod 600 it.");
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (file.Length > MaxBytes)
            {
                throw ZeroStorException.Invalid(
                    $"{path} has {file.Length} bytes, and no {what} has more than {MaxBytes}: name the right file.");
            }

            byte[] text = GC.AllocateArray<byte>((int)file.Length, pinned: true);
            file.ReadExactly(text);
            return text;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new ZeroStorException(
                ErrorKind.Forbidden, $"The {what} {path} cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>The passphrase in a file, without the line end that an editor puts behind it.</summary>
    /// <exception cref="ZeroStorException">NotFound; InvalidArgument: it is empty; Forbidden: as above.</exception>
    public static byte[] ReadPassphrase(string path)
    {
        byte[] text = Read(path, "passphrase")
            ?? throw ZeroStorException.NotFound($"There is no passphrase file {path}: write the passphrase into it.");
        byte[] passphrase = text.AsSpan().TrimEnd("\r\n"u8).ToArray();
        CryptographicOperations.ZeroMemory(text);
        return passphrase.Length > 0
            ? passphrase
            : throw ZeroStorException.Invalid($"The passphrase file {path} is empty: write the passphrase into it.");
    }

    /// <summary>Makes the file, and its folder for its owner alone; false where it is there already, and then nothing
    /// is changed.</summary>
    /// <exception cref="ZeroStorException">Forbidden: it cannot be written.</exception>
    public static bool Create(string path, string what, ReadOnlySpan<byte> text) =>
        Write(path, what, text, mayReplace: false);

    /// <summary>Writes the file anew: who reads it meanwhile reads the old one or the new one.</summary>
    /// <exception cref="ZeroStorException">Forbidden: it cannot be written.</exception>
    public static void Replace(string path, string what, ReadOnlySpan<byte> text) =>
        Write(path, what, text, mayReplace: true);

    private static bool Write(string path, string what, ReadOnlySpan<byte> text, bool mayReplace)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string draft = string.Create(
            CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.{RandomNumberGenerator.GetHexString(8)}.new");
        try
        {
            MakePrivateFolder(folder);
            try
            {
                WriteDraft(draft, text);
                if (!mayReplace && File.Exists(path))
                {
                    return false;
                }

                File.Move(draft, path, overwrite: mayReplace);
            }
            catch (IOException) when (!mayReplace && File.Exists(path))
            {
                return false;
            }
            finally
            {
                File.Delete(draft);
            }

            OsFile.SyncFolder(folder);
            return true;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new ZeroStorException(
                ErrorKind.Forbidden, $"The {what} {path} cannot be written: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static void WriteDraft(string draft, ReadOnlySpan<byte> text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using (var file = new FileStream(draft, options))
        {
            file.Write(text);
        }

        OsFile.SyncFile(draft);
    }

    private static void MakePrivateFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        }
    }
}

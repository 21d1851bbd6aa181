using System.Globalization;
using System.Security.Cryptography;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>The fabric's master key in a file that only its owner may read. Without it nothing that the
/// fabric holds can be opened again.</summary>
public static class MasterKeyFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Reads the key; null where there is no file.</summary>
    /// <exception cref="ZeroStorException">Forbidden: others may read it; InvalidArgument: not a key file.
    /// </exception>
    public static MasterKey? Find(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new ZeroStorException(
                ErrorKind.Forbidden, $"others may read the master key {path}: chmod 600 it");
        }

        return Read(path);
    }

    private static MasterKey Read(string path)
    {
        byte[] text = File.ReadAllBytes(path);
        try
        {
            return MasterKey.FromText(text);
        }
        catch (ZeroStorException e)
        {
            throw new ZeroStorException(e.Kind, $"{path}: {e.Message}", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>Makes a key and its file; null where another process made that meanwhile, which is never written
    /// over. Written beside its name, synced and moved: a crash leaves no half key behind a name that is
    /// believed.</summary>
    public static MasterKey? Create(string path, IEntropy entropy)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        MakePrivateFolder(folder);
        MasterKey key = MasterKey.Generate(entropy);
        string draft = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.new");
        File.Delete(draft);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        byte[] text = key.ToText();
        using (var file = new FileStream(draft, options))
        {
            file.Write(text);
        }

        CryptographicOperations.ZeroMemory(text);

        Volumes.OsFile.SyncFile(draft);
        try
        {
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
            key.Dispose();
            return null;
        }

        Volumes.OsFile.SyncFolder(folder);
        return key;
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

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

    /// <summary>Reads the key, or makes it where there is none and <paramref name="mayCreate"/>.</summary>
    /// <exception cref="ZeroStorException">NotFound; Forbidden: others may read it; Corrupt: not a key file.
    /// </exception>
    public static MasterKey Open(string path, bool mayCreate, IEntropy entropy)
    {
        if (!File.Exists(path))
        {
            return mayCreate
                ? Create(path, entropy)
                : throw ZeroStorException.NotFound(
                    $"the master key {path} is gone and this fabric was sealed under it: put the backup back");
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

    // Written beside its name, synced and renamed: a crash leaves no half key behind a name that is believed.
    private static MasterKey Create(string path, IEntropy entropy)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        MakePrivateFolder(folder);
        MasterKey key = MasterKey.Generate(entropy);
        string draft = path + ".new";
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
        File.Move(draft, path);
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

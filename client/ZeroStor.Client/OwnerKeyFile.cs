using System.Security.Cryptography;
using ZeroStor.Contracts;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>The file in which the owner of a vault keeps its private keys: readable by its user alone, in a folder that
/// is, too. Who loses it, and the recovery key, has lost what the vault holds.</summary>
public static class OwnerKeyFile
{
    private const string What = "vault key file";

    /// <summary>Where the key file of a vault is unless somebody says otherwise:
    /// <c>${XDG_CONFIG_HOME:-~/.config}/zerostor/keys/NAME.key</c>.</summary>
    public static string PathOf(string vault)
    {
        string? config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        string root = string.IsNullOrEmpty(config)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config")
            : config;
        return Path.Combine(root, "zerostor", "keys", VaultName.Check(vault) + ".key");
    }

    /// <summary>The keys in a file, which the caller disposes; null where there is none.</summary>
    /// <exception cref="ZeroStorException">Forbidden: others may read it, or this user may not; InvalidArgument: not a
    /// key file, or damaged.</exception>
    public static PrivateKeys? Find(string path)
    {
        if (SecretFile.Read(path, What) is not { } text)
        {
            return null;
        }

        try
        {
            return PrivateKeysText.FromText(text);
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

    /// <summary>Makes the file; one that is there is never written over.</summary>
    /// <exception cref="ZeroStorException">AlreadyExists; Forbidden: it cannot be written.</exception>
    public static void Create(string path, PrivateKeys keys)
    {
        byte[] text = PrivateKeysText.ToText(keys);
        try
        {
            if (!SecretFile.Create(path, What, text))
            {
                throw new ZeroStorException(
                    ErrorKind.AlreadyExists, $"There is a {What} {path} already: name another with --key-file.");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>Writes the file anew.</summary>
    /// <exception cref="ZeroStorException">Forbidden: it cannot be written.</exception>
    public static void Replace(string path, PrivateKeys keys)
    {
        byte[] text = PrivateKeysText.ToText(keys);
        try
        {
            SecretFile.Replace(path, What, text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }
}

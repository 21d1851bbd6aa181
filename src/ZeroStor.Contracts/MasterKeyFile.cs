using System.Security.Cryptography;
using ZeroStor.Sealing;

namespace ZeroStor.Contracts;

/// <summary>The fabric's master key in a file that only its owner may read, under a passphrase if there is one. Without
/// it nothing that the fabric holds can be opened again.</summary>
public static class MasterKeyFile
{
    private const string What = "master key";

    /// <summary>Reads the key; null where there is no file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="passphrase">Of a file that is under one; else empty.</param>
    /// <exception cref="ZeroStorException">Forbidden: others may read it; InvalidArgument: not a key file, or the
    /// passphrase is wrong, missing, or one too many.</exception>
    public static MasterKey? Find(string path, ReadOnlySpan<byte> passphrase = default)
    {
        if (SecretFile.Read(path, What) is not { } text)
        {
            return null;
        }

        try
        {
            return MasterKeyText.Read(text, passphrase);
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
    /// over.</summary>
    public static MasterKey? Create(string path, IEntropy entropy, ReadOnlySpan<byte> passphrase = default)
    {
        MasterKey key = MasterKey.Generate(entropy);
        byte[] text = MasterKeyText.Write(key, passphrase, entropy);
        try
        {
            if (SecretFile.Create(path, What, text))
            {
                return key;
            }

            key.Dispose();
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }
}

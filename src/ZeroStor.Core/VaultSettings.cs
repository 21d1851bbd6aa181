namespace ZeroStor;

/// <summary>What front ends keep of a vault for themselves, each under a name of its own: a bucket's policy,
/// its tags. The fabric does not read it.</summary>
public interface IVaultCatalog
{
    /// <summary>Null where nothing is kept.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    Task<VaultSettings?> ReadSettingsAsync(VaultId vault, string name, CancellationToken cancel);

    /// <summary>Puts bytes in the place of those with this ETag (null: of none); none (null) remove them.
    /// Said again after it was done, it changes nothing.</summary>
    /// <returns>What stands; an ETag that is not the new bytes' one says that somebody else was
    /// quicker.</returns>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more. InvalidArgument: too many bytes,
    /// or no name. </exception>
    Task<VaultSettings?> WriteSettingsAsync(
        VaultId vault, string name, string? was, byte[]? bytes, CancellationToken cancel);
}

/// <summary>What a front end keeps of a vault.</summary>
/// <param name="Bytes">As it said.</param>
/// <param name="ETag">Names the bytes: equal ones have the same.</param>
public sealed record VaultSettings(byte[] Bytes, string ETag)
{
    public const int MaxBytes = 64 * 1024;

    public const int MaxNameLength = 64;

    public static VaultSettings Of(byte[] bytes) => new(bytes, Sum128.Of(bytes).ToString());

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void Check(string name, byte[]? bytes)
    {
        if (name.Length is 0 or > MaxNameLength || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'))
        {
            throw ZeroStorException.Invalid(
                $"'{name}' is no name for settings: 1 to {MaxNameLength} letters, digits, - and . are.");
        }

        if (bytes?.Length > MaxBytes)
        {
            throw ZeroStorException.Invalid(
                $"The settings '{name}' have {bytes.Length} bytes, and the most is {MaxBytes}: keep less.");
        }
    }
}

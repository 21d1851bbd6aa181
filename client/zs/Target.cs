namespace ZeroStor.CommandLine;

/// <summary>What <c>VAULT/KEY</c> on the command line means. The first slash ends the vault; all behind it is
/// the key, slashes too.</summary>
/// <param name="Vault">Never empty.</param>
/// <param name="Key">May be empty: the whole vault.</param>
/// <param name="HasSlash">Whether a slash followed the vault.</param>
internal readonly record struct Target(string Vault, string Key, bool HasSlash)
{
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static Target Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        var target = slash < 0
            ? new Target(text, "", HasSlash: false)
            : new Target(text[..slash], text[(slash + 1)..], HasSlash: true);
        return target.Vault.Length > 0
            ? target
            : throw ZeroStorException.Invalid(
                $"'{text}' names no vault: write VAULT/KEY, as in photos/2024/sea.jpg.");
    }

    /// <summary>As <see cref="Parse"/>, and the key must not be empty.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static Target ParseObject(string text)
    {
        Target target = Parse(text);
        return target.Key.Length > 0
            ? target
            : throw ZeroStorException.Invalid(
                $"'{text}' has an empty key: write VAULT/KEY, as in photos/2024/sea.jpg.");
    }

    /// <summary>Where <c>put FILE TARGET</c> goes: a target that ends in a slash keeps the file's
    /// name.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: the key would be empty.</exception>
    public static Target ForPut(string file, string text)
    {
        Target target = Parse(text);
        if (!target.HasSlash)
        {
            throw ZeroStorException.Invalid(
                $"'{text}' names no key: write '{text}/KEY', or '{text}/' to keep the file's name.");
        }

        if (target.Key.Length > 0 && !target.Key.EndsWith('/'))
        {
            return target;
        }

        return file == "-"
            ? throw ZeroStorException.Invalid(
                $"Standard input has no name to keep: write the key behind '{text}'.")
            : target with { Key = target.Key + Path.GetFileName(file) };
    }

    /// <summary>The key as a folder: empty, or ending in one slash, so that <c>tree</c> never means
    /// <c>tree2</c>. </summary>
    public string Folder => Key.Length == 0 || Key.EndsWith('/') ? Key : Key + "/";

    public override string ToString() => HasSlash ? $"{Vault}/{Key}" : Vault;
}

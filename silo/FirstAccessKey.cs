using System.Text;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Silo;

/// <summary>The access key that a fabric begins with, so that S3 can be used at once: all rights, kept in the
/// data folder of the silo that made it, in the form in which the tools of S3 read credentials.</summary>
internal static class FirstAccessKey
{
    private const string What = "first access key";

    public static string PathIn(string data) => Path.Combine(data, "keys", "s3-credentials");

    /// <summary>Makes it where the fabric has no access key at all; null: it has.</summary>
    /// <exception cref="ZeroStorException">Forbidden: it cannot be kept, and is taken back.</exception>
    public static async Task<AccessKeyGrant?> MakeAsync(
        ZeroStorClient client, string data, CancellationToken cancel)
    {
        if (File.Exists(PathIn(data)))
        {
            return null;
        }

        AccessKeyGrant? made = await client.AccessKeys.CreateAsync(
            new AccessKeySpec { Rights = VaultRights.All, OnlyFirst = true }, cancel);
        if (made is null)
        {
            return null;
        }

        try
        {
            SecretFile.Create(PathIn(data), What, Encoding.ASCII.GetBytes(
                $"[default]\naws_access_key_id = {made.Key.Id}\naws_secret_access_key = {made.Secret}\n"));
            return made;
        }
        catch (ZeroStorException)
        {
            await client.AccessKeys.RevokeAsync(made.Key.Id, cancel);
            throw;
        }
    }
}

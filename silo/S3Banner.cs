using System.Net;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Silo;

/// <summary>What a silo says of S3 when it is up, and the access key that it makes for it.</summary>
internal static class S3Banner
{
    private const string NextLine = "\n             ";

    public static async Task<string> LineAsync(
        SiloSettings settings,
        IPEndPoint? at,
        IServiceProvider services,
        string data,
        CancellationToken cancel)
    {
        if (at is null)
        {
            return settings.S3 == SiloSettings.NoS3
                ? "off"
                : $"off: {SiloSettings.DefaultS3} is taken; --s3 HOST:PORT chooses another";
        }

        string who = IPAddress.IsLoopback(at.Address) ? "loopback only" : "--insecure-network";
        string line = $"http://{at} ({who})";
        string file = FirstAccessKey.PathIn(data);
        try
        {
            AccessKeyGrant? made = await FirstAccessKey.MakeAsync(
                services.GetRequiredService<ZeroStorClient>(), data, cancel);
            if (made is not null)
            {
                // A log is read by more people than a terminal.
                string secret = Console.IsOutputRedirected ? "" : $"{NextLine}secret key {made.Secret}";
                return $"{line}{NextLine}access key {made.Key.Id}{secret}{NextLine}Both are kept in {file}";
            }
        }
        catch (ZeroStorException failure)
        {
            return $"{line}{NextLine}No access key was made: {failure.Message}; zs access create makes one";
        }

        return File.Exists(file) ? $"{line}{NextLine}Credentials are in {file}" : line;
    }
}

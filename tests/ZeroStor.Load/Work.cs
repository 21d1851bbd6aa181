using ZeroStor.Client;

namespace ZeroStor.Load;

/// <summary>Puts and gets against one vault. A failure that the SDK gave up on is counted and told, and the work
/// goes on.</summary>
internal sealed class Work(Vault vault, Acknowledged acknowledged, TimeProvider time)
{
    public Tally Puts { get; } = new("puts");

    public Tally Gets { get; } = new("gets");

    public async Task PutAsync(string key, Content content, CancellationToken cancel)
    {
        long began = time.GetTimestamp();
        try
        {
            await vault.PutAsync(key, content.Open(), cancel: cancel);
            Puts.Done(time.GetElapsedTime(began), content.Bytes);
            acknowledged.Add(key, content);
        }
        catch (ZeroStorException e)
        {
            Puts.Failed($"{key} after {time.GetElapsedTime(began).TotalSeconds:F1} s: {e.Kind}: {e.Message}");
        }
    }

    public async Task GetAsync(string key, Content content, CancellationToken cancel)
    {
        long began = time.GetTimestamp();
        try
        {
            await using ObjectStream got = await vault.OpenReadAsync(key, cancel: cancel);
            if (await content.EqualsAsync(got, cancel))
            {
                Gets.Done(time.GetElapsedTime(began), content.Bytes);
            }
            else
            {
                Gets.Failed($"{key}: other bytes than were put");
            }
        }
        catch (ZeroStorException e)
        {
            Gets.Failed($"{key} after {time.GetElapsedTime(began).TotalSeconds:F1} s: {e.Kind}: {e.Message}");
        }
    }
}
